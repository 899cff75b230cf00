# SPDX-License-Identifier: Apache-2.0
"""scripts/includes.py finds each way to break the dependency rule, and nothing in a tree that keeps it."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts"))
import includes  # noqa: E402

TABLE = """
| folder | what is in it | may include |
|---|---|---|
| `src/base` | a, b | tl/ |
| `src/model` | facts | base |
| `src/capture` | files | base, model, sqlite3.h, twtrace/schema.hpp |
| `src/tui` | cells | base, model |
| `src/tui/terminal` | paint | base, curses.h |
"""
GOOD = {
    "src/base/log.hpp": "#include <fmt/format.h>\n#include <vector>\n#include <sys/types.h>\n",
    "src/model/table.hpp": '#include "base/log.hpp"\n',
    "src/model/table.cpp": '#include "model/table.hpp"\n\n#include "model/other.hpp"\n',
    "src/model/no_header.cpp": "// words\n",
    "src/capture/sqlite.cpp": '#include <sqlite3.h>\n#include "twtrace/schema.hpp"\n',
    "src/tui/layout.cpp": '#include "tui/terminal.hpp"\n',
    "src/tui/terminal.hpp": '#include "tui/frame.hpp"\n',
    "src/tui/terminal.cpp": '#include "tui/terminal.hpp"\n#include <curses.h>\n',
    "tests/support/catch.hpp": "#include <catch2/catch_all.hpp>\n",
    "tests/unit/a_test.cpp": '#include "support/catch.hpp"\n',
}


def said(extra):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in {"docs/architecture.md": TABLE, **GOOD, **extra}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return list(includes.complaints(root))


class IncludesTest(unittest.TestCase):
    def expect(self, extra, *beginnings):
        lines = said(extra)
        self.assertEqual(len(lines), len(beginnings), lines)
        for line, beginning in zip(lines, beginnings):
            self.assertTrue(line.startswith(beginning), line)

    def test_a_tree_that_keeps_the_rule(self):
        self.expect({})

    def test_an_arrow_that_runs_up(self):
        self.expect({"src/base/up.hpp": '#include <vector>\n\n  # include "model/table.hpp"\n'},
                    "src/base/up.hpp:3: base may not include model/table.hpp")

    def test_a_circle(self):
        self.expect({"src/model/other.cpp": '#include "model/table.hpp"\n'},
                    "src/model/table.hpp:1: includes run in a circle: model/table <- model/other <- model/table")

    def test_one_version_of_catch2(self):
        self.expect({"tests/unit/b_test.cpp": "#include <array>\n#include <catch2/catch.hpp>\n"},
                    "tests/unit/b_test.cpp:2: include support/catch.hpp instead of catch2/catch.hpp")

    def test_a_folder_without_a_row(self):
        self.expect({"src/news/a.cpp": ""}, "src/news/a.cpp:1: ")

    def test_a_folder_whose_name_begins_like_another(self):
        self.expect({"src/base2/a.cpp": ""}, "src/base2/a.cpp:1: ")

    def test_a_third_party_header_of_another_folder(self):
        self.expect({"src/model/db.cpp": "#include <sqlite3.h>\n"}, "src/model/db.cpp:1: model may not include sqlite3.h")

    def test_a_third_party_header_of_one_file(self):
        self.expect({"src/tui/rows.cpp": "#include <curses.h>\n"}, "src/tui/rows.cpp:1: tui may not include curses.h")

    def test_a_third_party_header_that_the_table_does_not_know(self):
        self.expect({"src/base/json.cpp": "#include <nlohmann/json.hpp>\n"}, "src/base/json.cpp:1: ")

    def test_a_header_that_may_not_be_included_by_quotes_either(self):
        self.expect({"src/model/db.cpp": '#include "sqlite3.h"\n'}, "src/model/db.cpp:1: ")

    def test_a_source_without_the_header_of_its_name(self):
        self.expect({"src/model/table.cpp": "#include <vector>\n"},
                    "src/model/table.cpp:1: it does not include the header of its name")

    def test_two_files_called_words_or_events(self):
        self.expect({"src/model/words.cpp": "", "src/tui/words.cpp": "", "src/tui/events.cpp": ""},
                    "src/tui/words.cpp:1: src/model/words.cpp has this name already")

    def test_this_tree(self):
        self.assertEqual(list(includes.complaints(pathlib.Path(__file__).resolve().parents[3])), [])


if __name__ == "__main__":
    unittest.main()
