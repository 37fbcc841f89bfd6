/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays x2gobroker-agent for one server, from files in its own directory.  It is
 * in C, as the machine that runs the tests plays dozens of servers at once.
 *
 *	kind		"new": our agent; "old": Debian's
 *	load		what checkload says
 *	count		"sessions:N" for status, if it is there
 *	started		"USER:SECONDS" lines for status
 *	host		the name that it has for itself, for status
 *	version		what status says of the agent, if it is there
 *	clock		seconds by which its clock is ahead, for status
 *	sessions	what x2golistsessions would print, for whomever
 *	all-sessions	if it is there, the broker may list those of all users
 *	servers		what x2gogetservers would print
 *	suspend-after	milliseconds until a session is suspended, or "never"
 *	calls		written: a line per call, as it came
 *	lock		written: whoever reads or changes sessions has it locked
 *	pid, child	written: who was started
 *
 * To misbehave, for all tasks or with ".TASK" behind the name for one:
 *
 *	delay		milliseconds before all else
 *	answer		the whole of its stdout, byte for byte
 *	flood		it never stops talking; flood-stderr: there
 *	stderr, exit	what it says there, and its status
 *	linger		it starts a child, then they both stay, with open ends
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX	16
#define NEVER		((long long)1 << 60)

static const char *task = "";
static int old;

static long long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The whole file, or NULL; the length is in *len. */
static char *
slurp(const char *name, size_t *len)
{
	struct stat st;
	ssize_t n;
	char *text;
	int fd;

	if ((fd = open(name, O_RDONLY)) == -1)
		return NULL;
	if (fstat(fd, &st) == -1 ||
	    (text = malloc((size_t)st.st_size + 1)) == NULL)
		_exit(99);
	for (*len = 0; (n = read(fd, text + *len,
	    (size_t)st.st_size - *len)) > 0; *len += (size_t)n)
		continue;
	text[*len] = '\0';
	close(fd);
	return text;
}

/* NAME.TASK, or else NAME. */
static char *
find(const char *name, size_t *len)
{
	char path[200], *text;

	snprintf(path, sizeof(path), "%s.%s", name, task);
	if ((text = slurp(path, len)) == NULL)
		text = slurp(name, len);
	return text;
}

static void
put(const char *text, size_t len)
{
	ssize_t n;

	for (; len > 0; text += n, len -= (size_t)n)
		if ((n = write(STDOUT_FILENO, text, len)) <= 0)
			_exit(98);
}

static void
say(const char *text)
{
	put(text, strlen(text));
}

static void
say_file(const char *name)
{
	size_t len;
	char *text = slurp(name, &len);

	if (text != NULL)
		put(text, len);
}

/* Each line of a file, with something before it. */
static void
say_lines(const char *name, const char *before)
{
	size_t len;
	char *text = slurp(name, &len), *line;

	while (text != NULL && (line = strsep(&text, "\n")) != NULL &&
	    (*line != '\0' || text != NULL)) {
		say(before);
		say(line);
		say("\n");
	}
}

static void
write_file(const char *name, const char *text, int flags)
{
	int fd = open(name, O_WRONLY | O_CREAT | flags, 0644);

	if (fd == -1 || write(fd, text, strlen(text)) == -1)
		_exit(97);
	close(fd);
}

static void
write_pid(const char *name)
{
	char text[30];

	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	write_file(name, text, O_APPEND);
}

/*
 * A session that is to be in another state: "mark" has ID STATE WHEN.  Brokers
 * ask at the same time, and a test changes the sessions meanwhile; so they take
 * turns, each until it ends.
 */

static void
lock_sessions(void)
{
	int fd = open("lock", O_RDWR | O_CREAT, 0644);

	if (fd == -1 || flock(fd, LOCK_EX) == -1)
		_exit(93);
}

/* The session line of that id in the state that was wanted, or without it. */
static void
change_session(const char *id, char state)
{
	size_t len;
	char *text = slurp("sessions", &len), *line, *field;
	int i;

	write_file("sessions.new", "", O_TRUNC);
	while (text != NULL && (line = strsep(&text, "\n")) != NULL) {
		if (*line == '\0' || (strstr(line, id) != NULL && state == 'T'))
			continue;
		field = line;
		for (i = 0; i < 4 && field != NULL; i++)
			if ((field = strchr(field, '|')) != NULL)
				field++;
		if (strstr(line, id) != NULL && field != NULL)
			*field = state;
		write_file("sessions.new", line, O_APPEND);
		write_file("sessions.new", "\n", O_APPEND);
	}
	rename("sessions.new", "sessions");
}

/* Change the state where it is time.  x2golistsessions takes the mark of
 * Debian's agent away as long as nobody has acted on it. */
static void
follow_mark(void)
{
	char id[400], state, *text;
	long long when;
	size_t len;

	if ((text = slurp("mark", &len)) == NULL)
		return;
	if (sscanf(text, "%399s %c %lld", id, &state, &when) != 3)
		_exit(96);
	if (now_ms() >= when)
		change_session(id, state);
	else if (!old)
		return;
	unlink("mark");
}

/* There is one mark, so what the last one said is done before that. */
static void
mark(const char *id, char state)
{
	char text[500];
	long long when = now_ms() + (old ? 1000 : 0);
	size_t len;
	char *after = slurp("suspend-after", &len);

	lock_sessions();
	follow_mark();
	if (after != NULL)
		when = strncmp(after, "never", 5) == 0 ? NEVER :
		    now_ms() + atoll(after);
	snprintf(text, sizeof(text), "%s %c %lld\n", id, state, when);
	write_file("mark.new", text, O_TRUNC);
	rename("mark.new", "mark");
}

static void
list_sessions(void)
{
	lock_sessions();
	follow_mark();
	say("OK\n");
	say_file("sessions");
}

static void
say_status(void)
{
	size_t len;
	char line[60], *count = slurp("count", &len);

	lock_sessions();
	follow_mark();
	say("OK\n");
	say_file("load");
	if (count != NULL) {
		say("sessions:");
		put(count, strcspn(count, "\n"));
		say("\n");
	}
	say_lines("version", "agent:");
	say_lines("host", "host:");
	if ((count = slurp("clock", &len)) != NULL) {
		snprintf(line, sizeof(line), "time:%lld\n",
		    now_ms() / 1000 + atoll(count));
		say(line);
	}
	say_lines("started", "started:");
	say_lines("sessions", "session:");
	say("END\n");
}

/*
 * Answers
 */

static void
answer(const char *user, const char *arg)
{
	if (strcmp(task, "ping") == 0)
		say("OK\n");
	else if (strcmp(task, "checkload") == 0) {
		say("OK\n");
		say_file("load");
		if (!old)
			say("status:1\n");
	} else if (strcmp(task, "availabletasks") == 0) {
		say("OK\navailabletasks\naddauthkey\ndelauthkey\nlistsessions\n"
		    "findbusyservers\nfindbusyservers_by_sessionstats\n"
		    "checkload\ngetservers\nsuspendsession\n"
		    "terminatesession\n");
		if (!old)
			say("ping\nstatus\nstorekey\n");
	} else if (strcmp(user, "-") == 0 && old) {
		fputs("no such user on system: - at x2gobroker-agent.pl\n",
		    stderr);
		exit(255);
	} else if (strcmp(task, "status") == 0 && !old)
		say_status();
	else if (strcmp(task, "listsessions") == 0)
		list_sessions();
	else if (strcmp(task, "listallsessions") == 0 && !old) {
		if (access("all-sessions", F_OK) == -1) {
			fputs("x2gobroker-agent: add --all-sessions\n",
			    stderr);
			exit(1);
		}
		list_sessions();
	} else if (strcmp(task, "getservers") == 0) {
		say("OK\n");
		say_file("servers");
	} else if (strcmp(task, "findbusyservers") == 0 ||
	    strcmp(task, "findbusyservers_by_sessionstats") == 0)
		say("OK\n\n");
	else if (strcmp(task, "suspendsession") == 0) {
		mark(arg, 'S');
		say("OK\n");
	} else if (strcmp(task, "terminatesession") == 0) {
		mark(arg, 'T');
		say("OK\n");
	} else if (strcmp(task, "addauthkey") == 0 ||
	    strcmp(task, "delauthkey") == 0 ||
	    (strcmp(task, "storekey") == 0 && !old))
		say("OK\n");
	else if (!old) {
		fputs("x2gobroker-agent: no such task\n", stderr);
		exit(1);
	}
}

static void
linger(void)
{
	int i;

	write_pid("pid");
	if (fork() == 0)
		write_pid("child");
	for (i = 0; i < 300; i++)
		sleep(1);
	_exit(0);
}

static void
misbehave(void)
{
	struct timespec pause;
	char line[1025], *text;
	size_t len;

	if ((text = find("delay", &len)) != NULL) {
		pause.tv_sec = atol(text) / 1000;
		pause.tv_nsec = atol(text) % 1000 * 1000000;
		nanosleep(&pause, NULL);
	}
	if (find("linger", &len) != NULL)
		linger();
	if (find("flood-stderr", &len) != NULL)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	if (find("flood", &len) != NULL || find("flood-stderr", &len) != NULL) {
		memset(line, 'x', sizeof(line) - 1);
		line[sizeof(line) - 2] = '\n';
		line[sizeof(line) - 1] = '\0';
		for (say("OK\n");;)
			say(line);
	}
	if ((text = find("stderr", &len)) != NULL)
		fwrite(text, 1, len, stderr);
	if ((text = find("answer", &len)) != NULL) {
		put(text, len);
		len = 0;
		text = find("exit", &len);
		exit(text != NULL ? atoi(text) : 0);
	}
	if ((text = find("exit", &len)) != NULL)
		exit(atoi(text));
}

/* Words as a shell takes them, as far as brokers write them. */
static int
split(char *text, char *words[static WORDS_MAX])
{
	int n = 0;
	char *to;
	char quote;

	for (;;) {
		text += strspn(text, " ");
		if (*text == '\0' || n == WORDS_MAX - 1)
			return n;
		words[n++] = to = text;
		for (quote = '\0'; *text != '\0' &&
		    (quote != '\0' || *text != ' '); text++) {
			if (quote == '\0' && (*text == '"' || *text == '\''))
				quote = *text;
			else if (quote == *text)
				quote = '\0';
			else
				*to++ = *text;
		}
		if (*text == ' ')
			text++;
		*to = '\0';
	}
}

static void
note_call(int argc, char **argv)
{
	char line[4000] = "";
	size_t len = 0;
	int i;

	for (i = 0; i < argc && len < sizeof(line) - 2; i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len - 1,
		    "%s%s", i > 0 ? "\t" : "", argv[i]);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	strcpy(line + len, "\n");
	write_file("calls", line, O_APPEND);
}

int
main(int argc, char **argv)
{
	char *words[WORDS_MAX] = { NULL }, *command, *dir = strdup(argv[0]);
	size_t len;
	char *kind;

	if (chdir(dirname(dir)) == -1)
		return 95;
	if ((command = getenv("SSH_ORIGINAL_COMMAND")) != NULL) {
		note_call(1, &command);
		argc = split(command, words);
		if (argc > 2 && strcmp(words[0], "sh") == 0)
			argc = split(words[2], words);
		argv = words;
	} else
		note_call(argc, argv);
	if (argc < 3)
		return 94;
	task = argv[2];
	old = (kind = slurp("kind", &len)) != NULL &&
	    strncmp(kind, "old", 3) == 0;
	misbehave();
	answer(argv[1], argc > 3 ? argv[3] : "");
	return 0;
}
