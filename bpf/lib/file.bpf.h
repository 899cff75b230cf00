/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds the sockets among the files of processes. Needs bpf_probe_read_kernel. */
#ifndef TWTRACE_FILE_BPF_H
#define TWTRACE_FILE_BPF_H

#include "compat.bpf.h"

/*
 * The address of the struct sock of a file, if it is the file of a socket. Otherwise it is any number, because every
 * kind of file keeps something else in private_data. So look the address up first, and then ask file__is_of.
 */
static __always_inline u64 file__socket(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return (u64)BPF_CORE_READ(socket, sk);
}

/* Whether this is the file of the socket at the address that file__socket said. */
static __always_inline bool file__is_of(struct file *file, u64 address)
{
	return (u64)BPF_CORE_READ((struct sock *)address, sk_socket, file) == tw_untyped(file);
}

#endif /* TWTRACE_FILE_BPF_H */
