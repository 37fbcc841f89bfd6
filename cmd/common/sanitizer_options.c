/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the programs of a build with sanitizers want these to behave, as nothing
 * of it can come through a forced command's environment.  A finding ends the
 * process with a signal, so that it does not look like a refusal.  Leaks are
 * for the unit tests: these processes leave their memory to the kernel when
 * they end, and cannot be searched, having closed themselves to others.
 */
const char	*__asan_default_options(void);
const char	*__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "abort_on_error=1:detect_leaks=0";
}

const char *
__ubsan_default_options(void)
{
	return "halt_on_error=1:abort_on_error=1:print_stacktrace=1";
}
