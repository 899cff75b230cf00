// SPDX-License-Identifier: Apache-2.0
#include "app/streams.hpp"

#include <climits>
#include <string>

#include "support/catch.hpp"

using twtrace::app::piece_for_pipe;

TEST_CASE("a pipe gets as many whole lines as it takes at once") {
  const std::string line = std::string(99, 'x') + "\n";
  std::string text;
  while (text.size() <= PIPE_BUF) text += line;
  CHECK(piece_for_pipe(text) == PIPE_BUF / line.size() * line.size());
  CHECK(piece_for_pipe(line) == line.size());
  CHECK(piece_for_pipe("no newline") == 10);
  const std::string fits = std::string(PIPE_BUF - 1, 'x') + "\n";
  CHECK(piece_for_pipe(fits + line) == PIPE_BUF);
}

TEST_CASE("a line that a pipe does not take at once goes alone") {
  const std::string line = std::string(3 * PIPE_BUF, 'x') + "\n";
  CHECK(piece_for_pipe(line + "y\n") == line.size());
  CHECK(piece_for_pipe(std::string(2 * PIPE_BUF, 'x')) == 2 * PIPE_BUF);
  CHECK(piece_for_pipe("y\n" + line) == 2);
}
