/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libssh, loaded when the first server is asked.  Loading it with libcrypto
 * takes longer than the rest of a listing, and most requests ask no server.
 */
#ifndef AGENT_LIBSSH_H
#define AGENT_LIBSSH_H

#include <libssh/libssh.h>

#include "base/error.h"

/* Calls that newer versions have in place of older ones. */
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
#define LIBSSH_EXIT_FUNCTIONS(X)		\
	X(ssh_channel_get_exit_state)
#else
#define LIBSSH_EXIT_FUNCTIONS(X)		\
	X(ssh_channel_get_exit_status)
#endif
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 12, 0)
#define LIBSSH_GENERATE_FUNCTIONS(X)		\
	X(ssh_pki_ctx_new)			\
	X(ssh_pki_ctx_free)			\
	X(ssh_pki_ctx_options_set)		\
	X(ssh_pki_generate_key)
#else
#define LIBSSH_GENERATE_FUNCTIONS(X)		\
	X(ssh_pki_generate)
#endif

/* The functions of libssh that we call. */
#define LIBSSH_FUNCTIONS(X)			\
	LIBSSH_EXIT_FUNCTIONS(X)		\
	LIBSSH_GENERATE_FUNCTIONS(X)		\
	X(ssh_new)				\
	X(ssh_free)				\
	X(ssh_connect)				\
	X(ssh_disconnect)			\
	X(ssh_set_blocking)			\
	X(ssh_get_poll_flags)			\
	X(ssh_get_error)			\
	X(ssh_options_set)			\
	X(ssh_get_server_publickey)		\
	X(ssh_get_publickey_hash)		\
	X(ssh_get_fingerprint_hash)		\
	X(ssh_clean_pubkey_hash)		\
	X(ssh_session_has_known_hosts_entry)	\
	X(ssh_session_is_known_server)		\
	X(ssh_session_export_known_hosts_entry)	\
	X(ssh_string_free_char)			\
	X(ssh_pki_import_privkey_base64)	\
	X(ssh_key_free)				\
	X(ssh_pki_export_privkey_base64)	\
	X(ssh_pki_export_pubkey_base64)		\
	X(ssh_userauth_publickey)		\
	X(ssh_channel_new)			\
	X(ssh_channel_free)			\
	X(ssh_channel_open_session)		\
	X(ssh_channel_request_exec)		\
	X(ssh_channel_send_eof)			\
	X(ssh_channel_read_nonblocking)		\
	X(ssh_channel_is_eof)			\
	X(ssh_channel_is_closed)

/* A pointer to each, of the same name. */
struct libssh {
#define LIBSSH_POINTER(name)	__typeof__(name) *name;
	LIBSSH_FUNCTIONS(LIBSSH_POINTER)
#undef LIBSSH_POINTER
};

/* Load libssh, unless it is loaded already, and fill in *lib. */
int	libssh_load(struct libssh *lib, struct x2gobroker_error *err);

#endif
