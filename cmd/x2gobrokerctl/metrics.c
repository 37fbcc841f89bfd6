/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl metrics: the state of the farm for Prometheus, in OpenMetrics
 * text of which the textfile collector of node_exporter understands all: only
 * counters and gauges, and no timestamps.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/safefile.h"
#include "common/counters.h"
#include "servers.h"

#define PREFIX		"x2gobroker_"

struct view {
	struct site site;
	struct x2gobroker_farm *farm;
	bool polled;		/* the servers were asked */
	struct buf text;
};

static void
begin_family(struct buf *text, const char *name, const char *type,
    const char *unit, const char *help)
{
	buf_printf(text, "# TYPE " PREFIX "%s %s\n", name, type);
	if (unit != NULL)
		buf_printf(text, "# UNIT " PREFIX "%s %s\n", name, unit);
	buf_printf(text, "# HELP " PREFIX "%s %s\n", name, help);
}

static void
put_label(struct buf *text, const char *name, const char *value)
{
	buf_printf(text, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buf_putc(text, '\\');
		buf_putc(text, *value);
	}
	buf_putc(text, '"');
}

/*
 * The broker
 */

static void
put_requests(struct view *view)
{
	const char *task;
	uint64_t number;
	bool granted;
	size_t i;

	begin_family(&view->text, "requests", "counter", NULL,
	    "Requests of clients, by task and verdict.");
	for (i = 0; counters_get(view->site.config, i, &task, &granted,
	    &number); i++)
		buf_printf(&view->text, PREFIX "requests_total{task=\"%s\","
		    "verdict=\"%s\"} %" PRIu64 "\n", task, granted ?
		    "granted" : "refused", number);
}

static void
put_broker(struct view *view)
{
	const struct x2gobroker_profiles *profiles = view->site.profiles;
	size_t n = 0;

	begin_family(&view->text, "build_info", "gauge", NULL,
	    "The version of x2gobrokerctl.");
	buf_printf(&view->text, PREFIX "build_info{version=\"%s\"} 1\n",
	    x2gobroker_version());
	while (x2gobroker_profiles_get(profiles, n) != NULL)
		n++;
	begin_family(&view->text, "profiles", "gauge", NULL,
	    "Session profiles; those with errors are withheld.");
	buf_printf(&view->text, PREFIX "profiles{state=\"served\"} %zu\n"
	    PREFIX "profiles{state=\"withheld\"} %zu\n", n,
	    x2gobroker_profiles_count_withheld(profiles));
}

static int
put_clients(struct view *view, struct x2gobroker_error *err)
{
	struct x2gobroker_connected *all;
	size_t n = 0;

	if (!x2gobroker_config_client_events(view->site.config))
		return 0;
	if (x2gobroker_connected_load(view->site.config, &all, err) == -1)
		return -1;
	while (x2gobroker_connected_get(all, n) != NULL)
		n++;
	x2gobroker_connected_free(all);
	begin_family(&view->text, "clients_connected", "gauge", NULL,
	    "Clients that are connected to a session, as their events say.");
	buf_printf(&view->text, PREFIX "clients_connected %zu\n", n);
	return 0;
}

/*
 * Maintenance, blocked servers
 */

static int
put_maintenance(struct view *view, struct x2gobroker_error *err)
{
	const struct x2gobroker_notice *notice;
	struct x2gobroker_maintenance *all;
	bool of_all = false;
	size_t i;

	if (x2gobroker_maintenance_load(view->site.config, &all, err) == -1)
		return -1;
	begin_family(&view->text, "maintenance", "gauge", NULL,
	    "Whether there are no new sessions, because of maintenance.");
	for (i = 0; (notice = x2gobroker_maintenance_get(all, i)) != NULL;
	    i++) {
		if (notice->profile == NULL && notice->server == NULL) {
			of_all = true;
			continue;
		}
		buf_puts(&view->text, PREFIX "maintenance{");
		if (notice->profile != NULL)
			put_label(&view->text, "profile", notice->profile);
		else
			put_label(&view->text, "server", notice->server);
		buf_puts(&view->text, "} 1\n");
	}
	buf_printf(&view->text, PREFIX "maintenance %d\n", of_all);
	x2gobroker_maintenance_free(all);
	return 0;
}

static int
put_blocked(struct view *view, struct x2gobroker_error *err)
{
	struct x2gobroker_drained *all;
	size_t i, n[2] = { 0 };

	if (x2gobroker_drained_load(view->site.config, &all, err) == -1)
		return -1;
	for (i = 0; x2gobroker_drained_get(all, i) != NULL; i++)
		n[x2gobroker_drained_is_blocked(all, i)]++;
	x2gobroker_drained_free(all);
	begin_family(&view->text, "drain_list", "gauge", NULL,
	    "Names in the list of drained and blocked servers.");
	buf_printf(&view->text, PREFIX "drain_list{state=\"drained\"} %zu\n"
	    PREFIX "drain_list{state=\"blocked\"} %zu\n", n[0], n[1]);
	return 0;
}

/*
 * The servers
 */

static double
get_up(const struct x2gobroker_server *server)
{
	return server->asked ? server->answered : NAN;
}

static double
get_seconds(const struct x2gobroker_server *server)
{
	return server->answered ? server->milliseconds / 1000.0 : NAN;
}

static double
get_load(const struct x2gobroker_server *server)
{
	return server->load > 0 ? (double)server->load : NAN;
}

static double
get_sessions(const struct x2gobroker_server *server)
{
	return server->sessions >= 0 ? (double)server->sessions : NAN;
}

static double
get_pending(const struct x2gobroker_server *server)
{
	return (double)server->pending;
}

static double
get_drained(const struct x2gobroker_server *server)
{
	return server->drained;
}

static double
get_hung(const struct x2gobroker_server *server)
{
	return server->has_hung;
}

static double
get_refused(const struct x2gobroker_server *server)
{
	return server->has_refused;
}

static const struct gauge {
	const char *name, *unit;
	double (*get)(const struct x2gobroker_server *); /* NAN: not known */
	const char *help;
} gauges[] = {
	{ "server_up", NULL, get_up, "Whether the server answers." },
	{ "server_answer_seconds", "seconds", get_seconds,
	    "How long the server took to answer." },
	{ "server_load_factor", NULL, get_load,
	    "The load factor; higher is better." },
	{ "server_sessions", NULL, get_sessions,
	    "Running and suspended sessions of all users." },
	{ "server_pending_sessions", NULL, get_pending,
	    "Sessions sent there in the last ten minutes that it lacks." },
	{ "server_drained", NULL, get_drained,
	    "Whether the server gets no new sessions." },
	{ "server_hung", NULL, get_hung,
	    "Whether a request got no answer in time in the last minute." },
	{ "server_login_refused", NULL, get_refused,
	    "Whether it refused the broker's login in the last ten minutes." },
};

static void
put_gauge(struct view *view, const struct gauge *gauge)
{
	const struct x2gobroker_server *server;
	char label[SERVER_LABEL_SIZE];
	bool begun = false;
	double value;
	size_t i;

	for (i = 0; (server = x2gobroker_farm_server(view->farm, i)) != NULL;
	    i++) {
		value = gauge->get(server);
		if (isnan(value))
			continue;
		if (!begun)
			begin_family(&view->text, gauge->name, "gauge",
			    gauge->unit, gauge->help);
		begun = true;
		buf_printf(&view->text, PREFIX "%s{", gauge->name);
		put_label(&view->text, "server", servers_label(server->name,
		    server->port, label));
		if (*server->address != '\0') {
			buf_putc(&view->text, ',');
			put_label(&view->text, "address", server->address);
		}
		buf_printf(&view->text, "} %.15g\n", value);
	}
}

/* Without --poll, the session database may know what the servers would say. */
static int
ask(struct view *view, struct x2gobroker_error *err)
{
	size_t failed;

	if (view->polled)
		return servers_ask(view->farm, &failed);
	if (x2gobroker_farm_count(view->farm, err) == 0 ||
	    err->code == X2GOBROKER_ERR_NOTFOUND)
		return 0;
	ctl_complain("warning: session-database: %s", err->text);
	return 0;
}

static int
put_servers(struct view *view, struct x2gobroker_error *err)
{
	size_t i;

	view->farm = servers_farm(&view->site, NULL, NULL, 0);
	if (view->farm == NULL || ask(view, err) == -1 ||
	    x2gobroker_farm_recall(view->farm, err) == -1)
		return -1;
	for (i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		put_gauge(view, &gauges[i]);
	return 0;
}

/*
 * The output
 */

/* A part that is not known is an error: without it, the old file stays, whose
 * age Prometheus sees. */
static int
put_all(struct view *view)
{
	struct x2gobroker_error err = { 0 };

	put_broker(view);
	put_requests(view);
	if (put_clients(view, &err) == 0 && put_maintenance(view, &err) == 0 &&
	    put_blocked(view, &err) == 0 && put_servers(view, &err) == 0) {
		buf_puts(&view->text, "# EOF\n");
		return 0;
	}
	if (err.text[0] != '\0')
		ctl_print_error(&err);
	return -1;
}

static int
print(const struct ctl *ctl)
{
	struct view view = { .polled = ctl->poll };
	int result = EXIT_NO;

	if (servers_open(ctl, &view.site) == -1)
		return EXIT_NO;
	if (put_all(&view) == 0 && !view.text.failed &&
	    safefile_write(STDOUT_FILENO, view.text.data, view.text.len))
		result = EXIT_YES;
	buf_free(&view.text);
	x2gobroker_farm_free(view.farm);
	ctl_close(&view.site);
	return result;
}

static int
replace_file(const char *path, const struct buf *text)
{
	cleanup_free char *dir = strdup(path), *name = strdup(path);
	char temporary[64];
	struct safefile_new new = { .temporary = temporary, .mode = 0644 };
	cleanup_fd int fd = -1;
	struct x2gobroker_error err;

	if (dir == NULL || name == NULL)
		return EXIT_NO;
	/* two of these may run, and the collector reads only *.prom */
	snprintf(temporary, sizeof(temporary), ".x2gobroker-metrics.%ld",
	    (long)getpid());
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	new.dirfd = fd;
	new.name = basename(name);
	if (fd == -1)
		ctl_complain("--output %s: %s", path, strerror(errno));
	else if (safefile_replace(&new, text, path, &err) == -1)
		ctl_print_error(&err);
	else
		return EXIT_YES;
	return EXIT_NO;
}

/* Print to a file, into a directory that the broker account need not be able to
 * write to.  A child becomes that account. */
static int
print_to(const struct ctl *ctl, const char *path)
{
	size_t len = SAFEFILE_SIZE_MAX;
	struct buf text = { 0 };
	int fds[2] = { -1, -1 }, status = -1, result = EXIT_NO;
	pid_t child = pipe2(fds, O_CLOEXEC) == 0 ? fork() : -1;

	if (child == 0)
		exit(dup2(fds[1], STDOUT_FILENO) == -1 ? EXIT_NO : print(ctl));
	if (child == -1)
		ctl_complain("%s", strerror(errno));
	close(fds[1]);
	if (child > 0)
		text.data = safefile_read_text(fds[0], path, &len, NULL);
	close(fds[0]);
	text.len = len;
	if (child > 0 && waitpid(child, &status, 0) == child &&
	    status == EXIT_YES && text.data != NULL)
		result = replace_file(path, &text);
	free(text.data);
	return result;
}

int
metrics_main(const struct ctl *ctl)
{
	return ctl->output != NULL ? print_to(ctl, ctl->output) : print(ctl);
}
