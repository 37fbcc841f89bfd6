/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTPS: the socket unit, and lines for the web servers that are installed.
 * They go where they have no effect yet: what a site does with its paths is for
 * the administrator to decide.
 */
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "step.h"

#define SYSTEMCTL	"/usr/bin/systemctl"
#define SERVICE_UNIT	"x2gobroker-http@.service"
#define GROUP		"www-data"	/* of the socket, in the unit */

static const struct web_server {
	const char *program;
	const char *source;	/* below X2GOBROKER_DATA */
	const char *file;
	const char *next;
} web_servers[] = {
	{ "/usr/sbin/nginx", "nginx.conf",
	    "/etc/nginx/snippets/x2gobroker.conf",
	    "in the server { } block with TLS, write \"include "
	    "snippets/x2gobroker.conf;\", then: nginx -t && systemctl reload "
	    "nginx" },
	{ "/usr/sbin/apache2", "apache2.conf",
	    "/etc/apache2/conf-available/x2gobroker.conf",
	    "a2enmod proxy_scgi && a2enconf x2gobroker && systemctl reload "
	    "apache2" },
	{ "/usr/sbin/lighttpd", "lighttpd.conf",
	    "/etc/lighttpd/conf-available/90-x2gobroker.conf",
	    "lighty-enable-mod x2gobroker && systemctl reload lighttpd" },
};

#define NWEB_SERVERS	(sizeof(web_servers) / sizeof(web_servers[0]))

/*
 * The unit, which systemd's own link shows to be enabled
 */

static enum look
unit_look(const struct setup *setup __attribute__((unused)),
    const struct step *step __attribute__((unused)),
    char why[static WHY_SIZE])
{
	if (access(HTTP_SOCKET_ENABLED, F_OK) == 0)
		return LOOK_DONE;
	if (access(SYSTEMCTL, X_OK) == 0)
		return LOOK_TO_DO;
	strlcpy(why, SYSTEMCTL " is missing; without systemd, let the web "
	    "server start x2gobroker-http as CGI, see x2gobroker-http(8)",
	    WHY_SIZE);
	return LOOK_BLOCKED;
}

static bool
unit_state(const char *name __attribute__((unused)),
    char state[static STATE_SIZE])
{
	*state = '\0';
	return access(HTTP_SOCKET_ENABLED, F_OK) == 0;
}

/* systemctl(1), which starts and stops nothing where systemd does not run. */
static void
set_command(const char *argv[static 5], const char *verb)
{
	size_t n = 0;

	argv[n++] = SYSTEMCTL;
	argv[n++] = verb;
	if (access("/run/systemd/system", F_OK) == 0)
		argv[n++] = "--now";
	argv[n++] = HTTP_SOCKET_UNIT;
	argv[n] = NULL;
}

static enum back
unit_back(const struct record *record __attribute__((unused)))
{
	const char *argv[5];

	set_command(argv, "disable");
	return step_run(argv) == 0 ? BACK_DONE : BACK_FAILED;
}

const struct kind kind_unit = {
	"unit", "", unit_look, NULL, unit_state, unit_back,
	"disable it", "",
};

/*
 * The steps
 */

static void
add_copy(struct setup *setup, const char *source, const char *file)
{
	struct step *step = step_add(setup, &kind_file, file, FILE_PLAN "; "
	    "without its comments:");
	cleanup_free char *text = files_read(source);

	step->brief = true;
	if (text != NULL)
		step->content = step_text(setup, "%s", text);
}

/* A package has them already. */
static void
add_units(struct setup *setup)
{
	static const char *const units[] = { SERVICE_UNIT, HTTP_SOCKET_UNIT };
	size_t i;

	if (access("/lib/systemd/system/" HTTP_SOCKET_UNIT, F_OK) == 0)
		return;
	for (i = 0; i < 2; i++)
		add_copy(setup, step_text(setup, X2GOBROKER_DATA "/systemd/%s",
		    units[i]), step_text(setup, SYSTEMD_DIR "%s", units[i]));
}

/* Web servers of other systems have other groups. */
static void
add_group(struct setup *setup)
{
	static const char *const names[] = { "nginx", "apache", "lighttpd" };
	struct step *step;
	size_t i;

	for (i = 0; getgrnam(GROUP) == NULL && i < 3; i++) {
		if (getgrnam(names[i]) == NULL)
			continue;
		step = step_add(setup, &kind_file, SYSTEMD_DIR HTTP_SOCKET_UNIT
		    ".d/group.conf", FILE_PLAN);
		step->content = step_text(setup, "[Socket]\nSocketGroup=%s\n",
		    names[i]);
		return;
	}
}

void
http_add_steps(struct setup *setup)
{
	const struct web_server *web;
	struct step *step;

	for (web = web_servers; web < web_servers + NWEB_SERVERS; web++)
		if (access(web->program, X_OK) == 0)
			add_copy(setup, step_text(setup, X2GOBROKER_DATA
			    "/webserver/%s", web->source), web->file);
	add_units(setup);
	add_group(setup);
	step = step_add(setup, &kind_unit, HTTP_SOCKET_UNIT, "enable it, so "
	    "that systemd listens for the web server");
	step->after = "";
	set_command(step->argv, "enable");
}

void
http_print_next(void)
{
	char here[HOST_NAME_MAX + 1] = "";
	const struct web_server *web;
	size_t found = 0;

	for (web = web_servers; web < web_servers + NWEB_SERVERS; web++)
		if (access(web->program, X_OK) == 0) {
			printf("  - %s: %s\n", strrchr(web->program, '/') + 1,
			    web->next);
			found++;
		}
	if (found == 0)
		printf("  - Install a web server: nginx, Apache or lighttpd; "
		    "its lines are in\n    " X2GOBROKER_DATA "/webserver\n");
	gethostname(here, sizeof(here) - 1);
	printf("  - See that it answers: x2gobrokerctl doctor "
	    "--url https://%s/plain/\n"
	    "  - Users start their client: x2goclient "
	    "--broker-url=https://%s/plain/\n", here, here);
}
