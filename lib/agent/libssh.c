/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>

#include "agent/ssh.h"

#define SONAME	"libssh.so.4"	/* its headers are those that we include */

#if LIBSSH_VERSION_MAJOR != 0
#error "SONAME is not that of this libssh"
#endif

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define LIBSSH_ROW(name)	{ #name, offsetof(struct libssh, name) },
	LIBSSH_FUNCTIONS(LIBSSH_ROW)
#undef LIBSSH_ROW
};

/* Never unloaded: a thread that waits for the resolver may need it later. */
int
libssh_load(struct libssh *lib, struct x2gobroker_error *err)
{
	void *handle, *function, *field;
	size_t i;

	if ((handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL)) == NULL)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "cannot load libssh, which connects to servers: %.300s",
		    dlerror());
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		function = dlsym(handle, functions[i].name);
		if (function == NULL)
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "libssh is too old: %.300s", dlerror());
		field = (char *)lib + functions[i].offset;
		*(void **)field = function;
	}
	return 0;
}
