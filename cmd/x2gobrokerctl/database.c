/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl database: whether X2Go's session database can be used, and the
 * SQL that gives the broker a role there.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "common/dbservice.h"
#include "ctl.h"

/* For pg_hba.conf: which address the database sees is not known. */
#define ADDRESS		"192.0.2.10/32"

/*
 * The role of the broker
 */

/* In double quotes, without which it could be a word of SQL.  in_string: within
 * single quotes. */
static void
print_name(const char *name, bool in_string)
{
	putchar('"');
	for (; *name != '\0'; name++) {
		if (*name == '"' || (*name == '\'' && in_string))
			putchar(*name);
		putchar(*name);
	}
	putchar('"');
}

/* Print the text, and the name of the role in place of each '%'. */
static void
print_sql(const char *text, const char *role)
{
	for (; *text != '\0'; text++)
		if (*text == '%')
			print_name(role, false);
		else
			putchar(*text);
}

static void
print_role(const char *database, const char *role)
{
	printf("-- \"x2godbadmin --createdb\" drops what the role may do: run "
	    "this again after it.\n"
	    "DO '\nBEGIN\n    CREATE ROLE ");
	print_name(role, true);
	print_sql(";\n"
	    "EXCEPTION WHEN duplicate_object THEN\n    NULL;\n"
	    "END';\n"
	    "-- PostgreSQL accepts 100 connections, unless max_connections "
	    "says otherwise,\n-- and X2Go servers need many.\n"
	    "ALTER ROLE % LOGIN CONNECTION LIMIT 50;\n"
	    "ALTER ROLE % SET default_transaction_read_only = on;\n"
	    "ALTER ROLE % SET statement_timeout = 3000;\n"
	    "ALTER ROLE % SET lock_timeout = 1000;\n"
	    "GRANT CONNECT ON DATABASE ", role);
	print_name(database, false);
	print_sql(" TO %;\n"
	    "REVOKE ALL ON sessions FROM %;\n"
	    "GRANT SELECT (session_id, display, uname, server, client, "
	    "status, init_time,\n    last_time, creator_id) ON sessions TO %;"
	    "\n", role);
}

/* A line of pg_hba.conf. */
static void
print_rule(const char *type, const char *database, const char *role,
    const char *method)
{
	printf("--     %s ", type);
	print_name(database, false);
	putchar(' ');
	print_name(role, false);
	printf(" %s\n", method);
}

/* How the role logs in, by what the service says, or in both ways. */
static void
print_rules(const struct dbservice *service, const char *database,
    const char *role, const char *account)
{
	const char *host = dbservice_value(service, "host");
	const char *address = dbservice_value(service, "hostaddr");
	bool here = address == NULL && (host == NULL || *host == '/');

	printf("-- In pg_hba.conf, above lines that match every role:\n");
	if (here && strcmp(role, account) == 0)
		print_rule("local", database, role, "peer");
	else if (here) {
		print_rule("local", database, role, "peer map=x2gobroker");
		printf("-- In pg_ident.conf:\n--     x2gobroker %s ", account);
		print_name(role, false);
		printf("\n");
	}
	if (here && service->n > 0)
		return;
	printf("-- %s the address of the broker's host:\n", here ?
	    "or, from another host, with" : "with");
	if (dbservice_value(service, "sslcert") != NULL) {
		print_rule("hostssl", database, role, ADDRESS " cert");
		return;
	}
	print_rule("hostssl", database, role, ADDRESS " scram-sha-256");
	printf("-- psql sets the password: \\password ");
	print_name(role, false);
	printf("\n");
}

/* The service may not be written yet. */
static int
print_grants(const struct x2gobroker_config *config)
{
	const char *account = x2gobroker_config_broker_account(config);
	const char *name = x2gobroker_config_text(config, "global",
	    "session-database");
	struct dbservice service = { .n = 0 };
	const char *database, *role;
	struct x2gobroker_error err;

	if (*name != '\0' && dbservice_read(x2gobroker_config_text(config,
	    "global", "session-database-file"), name, &service, &err) == -1) {
		ctl_print_error(&err);
		dbservice_free(&service);
	}
	if ((database = dbservice_value(&service, "dbname")) == NULL)
		database = DBSERVICE_DATABASE;
	if ((role = dbservice_value(&service, "user")) == NULL)
		role = account;
	printf("-- The role of the session broker%s: a superuser of "
	    "PostgreSQL runs this,\n-- connected to the database ",
	    service.n == 0 ? ", with the usual names" : "");
	print_name(database, false);
	printf(".\n");
	print_role(database, role);
	print_rules(&service, database, role, account);
	dbservice_free(&service);
	return fflush(stdout) == 0 ? EXIT_YES : EXIT_NO;
}

/*
 * Its state
 */

static int
print_text(const struct x2gobroker_database *database,
    const struct x2gobroker_error *why)
{
	if (why != NULL) {
		ctl_print_error(why);
		return 0;
	}
	printf("%ld sessions on %zu servers, within %d ms\n",
	    database->sessions, database->nhosts, database->milliseconds);
	return fflush(stdout);
}

static int
print_json(const struct x2gobroker_farm *farm,
    const struct x2gobroker_database *database,
    const struct x2gobroker_error *why)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];
	const char *host;
	struct json json;
	long sessions;
	size_t i;

	json_begin(&json);
	json_bool(&json, "answered", why == NULL);
	json_text(&json, "error", why != NULL ? x2gobroker_error_format(why,
	    text, sizeof(text)) : "");
	json_known(&json, "milliseconds", why == NULL, database->milliseconds);
	json_known(&json, "sessions", why == NULL, database->sessions);
	json_array(&json, "servers");
	for (i = 0; why == NULL && (host = x2gobroker_farm_database_host(farm,
	    i, &sessions)) != NULL; i++) {
		json_object(&json, NULL);
		json_string(&json, "name", host);
		json_integer(&json, "sessions", sessions);
		json_close(&json);
	}
	return json_print(&json);
}

static int
print_state(const struct x2gobroker_config *config, bool as_json)
{
	const struct x2gobroker_database *database;
	struct x2gobroker_farm *farm;
	struct x2gobroker_error err;
	int status, result;

	if (*x2gobroker_config_text(config, "global", "session-database") ==
	    '\0') {
		ctl_complain("session-database is not set, so no session "
		    "database is asked; see x2gobroker.conf(5)");
		return EXIT_NO;
	}
	if (x2gobroker_farm_new(config, NULL, &farm, &err) == -1) {
		ctl_print_error(&err);
		return EXIT_NO;
	}
	status = x2gobroker_farm_examine_database(farm, &database, &err);
	result = as_json ? print_json(farm, database, status == -1 ? &err :
	    NULL) : print_text(database, status == -1 ? &err : NULL);
	x2gobroker_farm_free(farm);
	return status == 0 && result == 0 ? EXIT_YES : EXIT_NO;
}

int
database_main(const struct ctl *ctl)
{
	struct x2gobroker_config *config;
	int result = EXIT_NO;

	if (ctl->grants && ctl->json) {
		ctl_complain("database --grants prints SQL, not JSON");
		return EXIT_USAGE;
	}
	if (ctl_load_config(ctl, &config) == -1)
		return EXIT_NO;
	if (ctl_become_broker(config) == 0)
		result = ctl->grants ? print_grants(config) :
		    print_state(config, ctl->json);
	x2gobroker_config_free(config);
	return result;
}
