/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many clients of a broker at once: a thread and an SSH connection for each.
 * They ask what a plan says, as often as the machine can answer, and what comes
 * is written to stdout; whether it is right, others decide (soaklab.py).
 *
 * usage: soak_client PLAN SECONDS SEED
 *
 * The plan has lines of fields with tabs between them:
 *
 *	sshd	ADDRESS	PORT	ACCOUNT
 *	request	USER	WEIGHT	KIND	NAME	COMMAND
 *	client	USER	KEYFILE	held | anew
 *
 * A client makes its user's requests, by chance and WEIGHT, over a connection
 * that it holds or one that is new each time.  @ in COMMAND is a uuid.  Of some
 * kinds is known here how they are done; all others are asked:
 *
 *	login			at a terminal
 *	hangup, drop		the channel, the connection is closed meanwhile
 *	cut			a part of the command
 *	noise			any bytes for a command
 *	stranger		any bytes, to sshd itself
 *
 * For each request there is a line, with tabs, and then the bytes that came to
 * stdout and stderr:
 *
 *	CLIENT USER KIND NAME UUID START END STATUS OUTCOME STDOUT STDERR
 *
 * START and END are seconds of CLOCK_MONOTONIC, OUTCOME is "done", "left" (the
 * client did not wait) or what went wrong, and the last two are lengths.  The
 * last line is "peak", the most connections and the most requests at a time.
 */
#include <libssh/libssh.h>

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_MAX	4000
#define CLIENTS_MAX	2000
#define FIELDS_MAX	6
#define COMMAND_MAX	4000
#define UUID_LEN	36
#define PATIENCE	90	/* seconds for an answer: far too long */
#define RECONNECT	30	/* one held connection in so many requests */
#define TAIL		20	/* bytes that are cut off at least */

/* How quickly a request that asks no server is answered tells how busy the
 * machine is, and all clients make their pauses longer or shorter by that. */
#define BUSY		0.2
#define PAUSE_MIN	0.1
#define PAUSE_MAX	20.0
#define YARDSTICK	"event"

struct request {
	int user, weight;
	const char *kind, *name, *command;
};

struct client {
	int number, user;
	const char *keyfile;
	bool held;
	uint64_t dice;
	ssh_key key;
	ssh_session session;	/* NULL: not connected */
	pthread_t thread;
};

/* One request, and what came of it. */
struct try {
	const struct request *request;
	char uuid[UUID_LEN + 1], command[COMMAND_MAX + 1];
	double start;
	int status;
	const char *outcome;
	char *text[2];		/* stdout, stderr */
	size_t len[2];
};

static struct request requests[REQUESTS_MAX];
static struct client clients[CLIENTS_MAX];
static size_t nrequests, nclients;
static const char *address, *account;
static unsigned int port;
static double stop_at;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static double pause_mean = 3, yardstick;
static atomic_int connected, connected_peak, asking, asking_peak;

static void
die(const char *why)
{
	fprintf(stderr, "soak_client: %s\n", why);
	exit(2);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
wait_seconds(double seconds)
{
	struct timespec time = { .tv_sec = (time_t)seconds };

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	nanosleep(&time, NULL);
}

static void
one_more(atomic_int *count, atomic_int *peak)
{
	int n = atomic_fetch_add(count, 1) + 1, most = atomic_load(peak);

	while (n > most && !atomic_compare_exchange_weak(peak, &most, n))
		continue;
}

/* splitmix64: the same for the same seed, in each client by itself. */
static uint64_t
roll(struct client *client)
{
	uint64_t x = (client->dice += 0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static size_t
roll_below(struct client *client, size_t n)
{
	return (size_t)(roll(client) % n);
}

static double
roll_seconds(struct client *client, double least, double most)
{
	return least + (most - least) * (double)(roll(client) >> 11) /
	    (double)(UINT64_C(1) << 53);
}

/*
 * The plan
 */

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (file == NULL || getdelim(&text, &size, '\0', file) == -1)
		die("the plan cannot be read");
	fclose(file);
	return text;
}

static void
add_request(char **field)
{
	if (nrequests == REQUESTS_MAX || strlen(field[5]) > COMMAND_MAX / 2)
		die("too many requests, or too long ones");
	requests[nrequests++] = (struct request){ .user = atoi(field[1]),
	    .weight = atoi(field[2]), .kind = field[3], .name = field[4],
	    .command = field[5] };
}

static void
add_client(char **field, uint64_t seed)
{
	struct client *client = &clients[nclients];

	if (nclients == CLIENTS_MAX)
		die("too many clients");
	*client = (struct client){ .number = (int)nclients,
	    .user = atoi(field[1]), .keyfile = field[2],
	    .held = strcmp(field[3], "held") == 0,
	    .dice = seed * 1000003 + nclients };
	if (ssh_pki_import_privkey_file(client->keyfile, NULL, NULL, NULL,
	    &client->key) != SSH_OK)
		die("a key cannot be read");
	nclients++;
}

static void
read_plan(const char *path, uint64_t seed)
{
	char *text = read_file(path), *line, *field[FIELDS_MAX];
	size_t n;

	while ((line = strsep(&text, "\n")) != NULL) {
		for (n = 0; n < FIELDS_MAX - 1 && line != NULL; n++)
			field[n] = strsep(&line, "\t");
		if (n == FIELDS_MAX - 1 && line != NULL)
			field[n++] = line;
		if (n == 4 && strcmp(field[0], "sshd") == 0) {
			address = field[1];
			port = (unsigned int)atoi(field[2]);
			account = field[3];
		} else if (n == 6 && strcmp(field[0], "request") == 0)
			add_request(field);
		else if (n == 4 && strcmp(field[0], "client") == 0)
			add_client(field, seed);
		else if (field[0][0] != '\0')
			die("a line of the plan is none");
	}
	if (address == NULL || nclients == 0)
		die("the plan says too little");
}

/*
 * What is sent
 */

static const struct request *
choose_request(struct client *client)
{
	size_t i, sum = 0, rest;

	for (i = 0; i < nrequests; i++)
		if (requests[i].user == client->user)
			sum += (size_t)requests[i].weight;
	if (sum == 0)
		die("a user has no requests");
	rest = roll_below(client, sum);
	for (i = 0;; i++) {
		if (requests[i].user != client->user)
			continue;
		if (rest < (size_t)requests[i].weight)
			return &requests[i];
		rest -= (size_t)requests[i].weight;
	}
}

static void
make_uuid(struct client *client, char uuid[static UUID_LEN + 1])
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
	size_t i;

	for (i = 0; i < UUID_LEN; i++)
		uuid[i] = form[i] == 'x' ?
		    "0123456789abcdef"[roll_below(client, 16)] : form[i];
	uuid[UUID_LEN] = '\0';
}

/* Any bytes but those that end a C string. */
static size_t
make_noise(struct client *client, char text[static COMMAND_MAX + 1])
{
	size_t i, len = 1 + roll_below(client, COMMAND_MAX);

	for (i = 0; i < len; i++)
		text[i] = (char)(1 + roll_below(client, 255));
	text[len] = '\0';
	return len;
}

static void
make_command(struct client *client, struct try *try)
{
	const char *from = try->request->command;
	size_t len = 0;

	if (strcmp(try->request->kind, "noise") == 0) {
		make_noise(client, try->command);
		return;
	}
	for (; *from != '\0' && len < COMMAND_MAX - UUID_LEN; from++)
		if (*from == '@') {
			memcpy(try->command + len, try->uuid, UUID_LEN);
			len += UUID_LEN;
		} else
			try->command[len++] = *from;
	if (strcmp(try->request->kind, "cut") == 0)
		len = 1 + roll_below(client, len - TAIL);
	try->command[len] = '\0';
}

/*
 * Connections
 */

static bool
connect_client(struct client *client)
{
	ssh_session session = ssh_new();
	long timeout = PATIENCE;
	bool no = false;

	if (session == NULL)
		die("out of memory");
	/* whose key the sshd has is not asked: it is the test's own */
	if (ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no) == 0 &&
	    ssh_options_set(session, SSH_OPTIONS_HOST, address) == 0 &&
	    ssh_options_set(session, SSH_OPTIONS_PORT, &port) == 0 &&
	    ssh_options_set(session, SSH_OPTIONS_USER, account) == 0 &&
	    ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &timeout) == 0 &&
	    ssh_connect(session) == SSH_OK &&
	    ssh_userauth_publickey(session, NULL, client->key) ==
	    SSH_AUTH_SUCCESS) {
		client->session = session;
		one_more(&connected, &connected_peak);
		return true;
	}
	fprintf(stderr, "soak_client: %d: %s\n", client->number,
	    ssh_get_error(session));
	ssh_free(session);
	return false;
}

static void
disconnect_client(struct client *client, bool politely)
{
	if (client->session == NULL)
		return;
	if (politely)
		ssh_disconnect(client->session);
	else
		ssh_silent_disconnect(client->session);
	ssh_free(client->session);
	client->session = NULL;
	atomic_fetch_sub(&connected, 1);
}

/*
 * A request
 */

static void
append(struct try *try, int which, const char *text, int n)
{
	char *more = realloc(try->text[which], try->len[which] + (size_t)n);

	if (more == NULL)
		die("out of memory");
	memcpy(more + try->len[which], text, (size_t)n);
	try->text[which] = more;
	try->len[which] += (size_t)n;
}

/* -1: none, or not yet. */
static int
exit_status(ssh_channel channel)
{
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
	uint32_t status;

	return ssh_channel_get_exit_state(channel, &status, NULL, NULL) ==
	    SSH_OK ? (int)status : -1;
#else
	return ssh_channel_get_exit_status(channel);
#endif
}

static void
take_answer(struct try *try, ssh_channel channel)
{
	char text[16384];
	int n;

	while (!ssh_channel_is_eof(channel) || ssh_channel_poll(channel, 0) >
	    0) {
		n = ssh_channel_read_timeout(channel, text, sizeof(text), 0,
		    1000);
		if (n > 0)
			append(try, 0, text, n);
		else if (n == SSH_ERROR || ssh_channel_is_closed(channel))
			break;
		else if (now() > try->start + PATIENCE) {
			try->outcome = "no end of the answer";
			return;
		}
	}
	while ((n = ssh_channel_read_nonblocking(channel, text, sizeof(text),
	    1)) > 0)
		append(try, 1, text, n);
	try->status = exit_status(channel);
	try->outcome = ssh_channel_is_eof(channel) ? "done" : "broken off";
}

/* Whether a client of that kind stays for the answer. */
static bool
stays(const struct request *request)
{
	return strcmp(request->kind, "hangup") != 0 &&
	    strcmp(request->kind, "drop") != 0;
}

static void
ask(struct client *client, struct try *try)
{
	ssh_channel channel = ssh_channel_new(client->session);

	if (channel == NULL || ssh_channel_open_session(channel) != SSH_OK)
		try->outcome = "no channel";
	else if (strcmp(try->request->kind, "login") == 0 &&
	    ssh_channel_request_pty(channel) != SSH_OK)
		try->outcome = "no terminal";
	else if (ssh_channel_request_exec(channel, try->command) != SSH_OK)
		try->outcome = "no command";
	else if (stays(try->request))
		take_answer(try, channel);
	else {
		wait_seconds(roll_seconds(client, 0, roll_below(client, 2) ?
		    0.03 : 2));
		try->outcome = "left";
	}
	if (strcmp(try->request->kind, "drop") == 0)
		disconnect_client(client, false);
	else if (channel != NULL) {
		ssh_channel_close(channel);
		ssh_channel_free(channel);
	}
}

/* Who has scanned the port, and a network that breaks. */
static void
be_a_stranger(struct client *client, struct try *try)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[COMMAND_MAX + 1] = "SSH-2.0-stranger\r\n";
	size_t len = strlen(text);

	try->outcome = "left";
	if (fd == -1 || inet_pton(AF_INET, address, &in.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&in, sizeof(in)) == -1)
		try->outcome = "no connection";
	else {
		if (roll_below(client, 2) == 0)
			len = make_noise(client, text);
		send(fd, text, len, MSG_NOSIGNAL);
		wait_seconds(roll_seconds(client, 0, 1));
	}
	close(fd);
}

static void
write_down(const struct client *client, const struct try *try)
{
	double end = now();
	bool fine;

	pthread_mutex_lock(&lock);
	fine = printf("%d\t%d\t%s\t%s\t%s\t%.6f\t%.6f\t%d\t%s\t%zu\t%zu\n",
	    client->number, client->user, try->request->kind,
	    try->request->name, try->uuid, try->start, end, try->status,
	    try->outcome, try->len[0], try->len[1]) > 0 &&
	    fwrite(try->text[0], 1, try->len[0], stdout) == try->len[0] &&
	    fwrite(try->text[1], 1, try->len[1], stdout) == try->len[1] &&
	    fflush(stdout) == 0;
	if (strcmp(try->request->kind, YARDSTICK) == 0 && client->held) {
		yardstick = 0.9 * yardstick + 0.1 * (end - try->start);
		pause_mean *= yardstick > BUSY ? 1.05 : 0.98;
		if (pause_mean < PAUSE_MIN)
			pause_mean = PAUSE_MIN;
		if (pause_mean > PAUSE_MAX)
			pause_mean = PAUSE_MAX;
	}
	pthread_mutex_unlock(&lock);
	if (!fine)
		die("nobody reads what it writes");
}

static void
make_request(struct client *client)
{
	struct try try = { .request = choose_request(client), .status = -1,
	    .start = now() };

	make_uuid(client, try.uuid);
	make_command(client, &try);
	one_more(&asking, &asking_peak);
	if (strcmp(try.request->kind, "stranger") == 0)
		be_a_stranger(client, &try);
	else if (client->session != NULL || connect_client(client))
		ask(client, &try);
	else
		try.outcome = "no connection";
	atomic_fetch_sub(&asking, 1);
	write_down(client, &try);
	free(try.text[0]);
	free(try.text[1]);
	if (!client->held || roll_below(client, RECONNECT) == 0 ||
	    (strcmp(try.outcome, "done") != 0 &&
	    strcmp(try.outcome, "left") != 0))
		disconnect_client(client, true);
}

static double
read_pause(void)
{
	double mean;

	pthread_mutex_lock(&lock);
	mean = pause_mean;
	pthread_mutex_unlock(&lock);
	return mean;
}

/* Those who hold a connection make it at once, all of them. */
static void *
live(void *arg)
{
	struct client *client = arg;
	double wait, left;

	if (client->held)
		connect_client(client);
	for (;;) {
		wait = read_pause() * roll_seconds(client, 0.3, 1.7);
		left = stop_at - now();
		wait_seconds(wait < left ? wait : left > 0 ? left : 0);
		if (now() >= stop_at)
			break;
		make_request(client);
	}
	disconnect_client(client, client->number % 2 == 0);
	return NULL;
}

int
main(int argc, char **argv)
{
	size_t i;

	if (argc != 4)
		die("usage: soak_client PLAN SECONDS SEED");
	signal(SIGPIPE, SIG_IGN);
	read_plan(argv[1], strtoull(argv[3], NULL, 10));
	stop_at = now() + strtod(argv[2], NULL);
	for (i = 0; i < nclients; i++)
		if (pthread_create(&clients[i].thread, NULL, live,
		    &clients[i]) != 0)
			die("no thread");
	for (i = 0; i < nclients; i++) {
		pthread_join(clients[i].thread, NULL);
		ssh_key_free(clients[i].key);
	}
	printf("peak\t%d\t%d\n", connected_peak, asking_peak);
	return fflush(stdout) == 0 ? 0 : 1;
}
