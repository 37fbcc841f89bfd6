/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options of the sanitizers, for the programs of a build with sanitizers: none
 * can come through the environment of a forced command.  A finding ends the
 * process with a signal, so that it does not look like a refusal.  The unit
 * tests look for leaks: these processes do not free all memory before they end,
 * and cannot be searched, because others may not trace them.
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
