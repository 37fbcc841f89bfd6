/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <stddef.h>

#include "agent/libssh.h"

#define SONAME	"libssh.so.4"	/* of the headers that we are compiled with */

#if LIBSSH_VERSION_MAJOR != 0
#error "this libssh is not the one that SONAME names"
#endif

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define SSHLIB_ROW(name)	{ #name, offsetof(struct libssh, name) },
	LIBSSH_FUNCTIONS(SSHLIB_ROW)
#undef SSHLIB_ROW
};

/* It stays loaded until the process ends: threads that wait for a resolver may
 * be behind when the rest is done with it. */
int
libssh_load(struct libssh *lib, struct x2gobroker_error *err)
{
	void *handle, *function, *field;
	size_t i;

	if ((handle = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL)) == NULL)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "libssh, which servers are asked with, cannot be loaded: "
		    "%.300s", dlerror());
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
