/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run a program as an account, and let one of its system calls fail:
 *
 *	fail-call UID GID CALL NUMBER ERROR PROGRAM [ARGUMENT ...]
 *
 * CALL and ERROR are numbers, as in <sys/syscall.h> and <errno.h>.  The call
 * fails that is the NUMBERth of its kind in a thread, from 1.  Calls of other
 * processes that the program starts are left alone.
 *
 * The kernel asks this process about each call of the kind, and about no other
 * (seccomp_unotify(2)), so that it costs little and the program's own filter of
 * system calls stays as it is.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX	256

static struct { unsigned int id; long calls; } threads[THREADS_MAX];
static bool started;

/* The listener's number goes to the parent, with whom all descriptors are
 * shared: from here on, the parent has to answer. */
static void
become_program(long call, uid_t uid, gid_t gid, volatile int *listener,
    char **words)
{
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)call, 1, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	*listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (*listener != -1 && setgroups(0, NULL) == 0 &&
	    setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0)
		execv(words[0], words);
	_exit(126);
}

/* Whether it is the program's, and the one that is to fail. */
static bool
is_the_one(pid_t program, unsigned int id, long number)
{
	char path[64];
	size_t i;

	snprintf(path, sizeof(path), "/proc/%d/task/%u", (int)program, id);
	if (id != (unsigned int)program && access(path, F_OK) == -1)
		return false;
	for (i = 0; i < THREADS_MAX; i++) {
		if (threads[i].id == 0)
			threads[i].id = id;
		if (threads[i].id == id)
			return ++threads[i].calls == number;
	}
	errx(126, "more than %d threads", THREADS_MAX);
}

static void
answer(int listener, pid_t program, long call, long number, int error)
{
	struct seccomp_notif question = { 0 };
	struct seccomp_notif_resp reply = { 0 };

	/* whoever asked may have been killed meanwhile */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) == -1)
		return;
	reply.id = question.id;
	reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (!started)
		started = question.data.nr == SYS_execve;
	else if (question.data.nr == call &&
	    is_the_one(program, question.pid, number)) {
		reply.flags = 0;
		reply.error = -error;
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
}

/* As the program ended. */
static void
end_like(pid_t program)
{
	int status;

	if (waitpid(program, &status, 0) == -1)
		err(126, "waitpid");
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	exit(WEXITSTATUS(status));
}

int
main(int argc, char **argv)
{
	volatile int *listener;
	long call, number;
	struct pollfd fds[2];
	pid_t program;
	int error;

	if (argc < 7)
		errx(126, "usage: fail-call UID GID CALL NUMBER ERROR PROGRAM "
		    "[ARGUMENT ...]");
	call = atol(argv[3]);
	number = atol(argv[4]);
	error = atoi(argv[5]);
	listener = mmap(NULL, sizeof(*listener), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (listener == MAP_FAILED)
		err(126, "mmap");
	program = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (program == -1)
		err(126, "clone");
	if (program == 0)
		become_program(call, (uid_t)atoi(argv[1]), (gid_t)atoi(argv[2]),
		    listener, argv + 6);
	while (*listener == 0)
		sched_yield();
	if (*listener == -1)
		errx(126, "the kernel does not tell of system calls");
	fds[0] = (struct pollfd){ .fd = (int)syscall(SYS_pidfd_open, program, 0),
	    .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = *listener, .events = POLLIN };
	if (fds[0].fd == -1)
		err(126, "pidfd_open");
	while (poll(fds, 2, -1) > 0 && fds[0].revents == 0)
		answer(*listener, program, call, number, error);
	end_like(program);
}
