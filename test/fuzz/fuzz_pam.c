/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-pam: its arguments, a word a line, and behind a form feed what
 * comes through the pipe.  What PAM is told is a name, an address, and a
 * password of one line.
 */
#include <sys/socket.h>

#include <syslog.h>

#include "fuzz.h"

int	pam_main(int argc, char **argv);

/* Its usage goes to stderr. */
static FILE *nowhere;

#undef stderr
#define stderr		nowhere
#define main		pam_main
#include "../../cmd/x2gobroker-pam/main.c"
#undef stderr
#undef main

enum helper_status
report_status(enum helper_status status,
    const char *fmt __attribute__((unused)), ...)
{
	return status;
}

/* main(), which is not called here, would continue with these. */
void
process_init(void)
{
}

enum helper_status
process_become_root(uid_t *caller __attribute__((unused)))
{
	return HELPER_SYSTEM;
}

enum helper_status
pam_run(const struct order *order __attribute__((unused)))
{
	return HELPER_SYSTEM;
}

static void
check_order(const struct order *order, char **argv)
{
	unsigned char address[16];
	const char *p;

	must(order->name == argv[2] && order->rhost == argv[3]);
	must(*order->name != '\0' && *order->name != '-');
	must(strlen(order->name) < NAME_SIZE);
	for (p = order->name; *p != '\0'; p++)
		must((unsigned char)*p >= 0x20 && *p != 0x7f && *p != ':' &&
		    *p != '/');
	must(order->rhost == NULL || strchr(order->rhost, '%') != NULL ||
	    inet_pton(AF_INET, order->rhost, address) == 1 ||
	    inet_pton(AF_INET6, order->rhost, address) == 1);
}

static void
check_password(const uint8_t *data, size_t size)
{
	char password[PASSWORD_MAX + 1];
	int fds[2];

	must(pipe(fds) == 0 && write(fds[1], data, size) == (ssize_t)size);
	close(fds[1]);
	must(dup2(fds[0], STDIN_FILENO) == STDIN_FILENO);
	close(fds[0]);
	if (read_password(password, sizeof(password)) == HELPER_OK) {
		must(strlen(password) == size && size > 0);
		must(memcmp(password, data, size) == 0);
		must(strpbrk(password, "\r\n") == NULL);
	} else
		must(size == 0 || size > PASSWORD_MAX ||
		    memchr(data, '\n', size) != NULL ||
		    memchr(data, '\r', size) != NULL ||
		    memchr(data, '\0', size) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\f', size) : NULL;
	size_t len = end != NULL ? (size_t)(end - data) : size;
	char *text = fuzz_string(data, len), *rest = text;
	char program[] = "x2gobroker-pam", *argv[7] = { program };
	struct order order = { 0 };
	int argc = 1;

	if (nowhere == NULL)
		must((nowhere = fopen("/dev/null", "we")) != NULL);
	while (argc < 6 && rest != NULL)
		argv[argc++] = strsep(&rest, "\n");
	if (parse(argc, argv, &order) == HELPER_OK)
		check_order(&order, argv);
	else
		must(order.name == NULL);
	if (end != NULL && size - len - 1 < 4096)
		check_password(end + 1, size - len - 1);
	free(text);
	return 0;
}
