/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The formulas are those of Debian's agent, so that servers with either agent
 * can be compared.  Where that one finds no processor, this one assumes one.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "load.h"

#define MHZ_UNKNOWN	1000	/* for a processor of unknown frequency */
#define LOAD_MAX	1000000000	/* percent; more processes than pids */
#define KB_MAX		(1L << 50)	/* more than any host has */
#define CPU_MAX_KHZ	"/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"

int
load_parse_average(const char *text, struct load *load)
{
	double one, five, fifteen, percent;

	if (sscanf(text, "%lf %lf %lf", &one, &five, &fifteen) != 3)
		return -1;
	percent = (one + five + fifteen) * 100 / 3 + 1;
	/* written so that NaN is refused, too */
	if (!(percent < (double)LOAD_MAX))
		return -1;
	load->loadavg = percent > 1 ? (long)percent : 1;
	return 0;
}

/* If the line is "name: N kB", set *kb. */
static bool
take_kb(const char *line, const char *name, long *kb)
{
	size_t len = strlen(name);
	long n;

	if (strncmp(line, name, len) != 0 ||
	    sscanf(line + len, ": %ld", &n) != 1 || n < 0 || n > KB_MAX)
		return false;
	*kb = n;
	return true;
}

static double
smaller(double a, double b)
{
	return a < b ? a : b;
}

/* Memory available without swapping, as fs/proc/meminfo.c of Linux computes it.
 * All in kB. */
static double
estimate(long free_kb, long file, long reclaimable, long low)
{
	double cache = (double)file, slab = (double)reclaimable;

	return (double)(free_kb - low) + cache - smaller(cache / 2,
	    (double)low) + slab - smaller(slab / 2, (double)low);
}

void
load_parse_memory(FILE *meminfo, long min_free_kb, struct load *load)
{
	long available = 0, free_kb = 0, active = 0, inactive = 0, slab = 0;
	cleanup_free char *line = NULL;
	size_t size = 0;
	double mine;

	while (getline(&line, &size, meminfo) != -1) {
		if (!take_kb(line, "MemAvailable", &available) &&
		    !take_kb(line, "MemFree", &free_kb) &&
		    !take_kb(line, "Active(file)", &active) &&
		    !take_kb(line, "Inactive(file)", &inactive))
			take_kb(line, "SReclaimable", &slab);
	}
	mine = estimate(free_kb, active + inactive, slab, min_free_kb);
	load->mem_avail = available / 1000;
	load->my_mem_avail = mine > 0 ? (long)(mine / 1000) : 0;
}

/* "model name : Intel(R) Xeon(R) CPU E5-2640 v4 @ 2.40GHz" */
static long
named_mhz(const char *line)
{
	const char *cpu, *at;
	double ghz;

	if (strncmp(line, "model name", 10) != 0 ||
	    (cpu = strstr(line, "CPU")) == NULL ||
	    (at = strstr(cpu, "@ ")) == NULL)
		return 0;
	ghz = strtod(at + 2, NULL);
	return ghz > 0 && ghz < 1000 ? (long)(ghz * 1000) : 0;
}

/* "cpu MHz : 2596.132", rounded up */
static long
current_mhz(const char *line)
{
	const char *colon = strchr(line, ':');
	double mhz;

	if (strncmp(line, "cpu MHz", 7) != 0 || colon == NULL)
		return 0;
	mhz = strtod(colon + 1, NULL);
	return mhz > 0 && mhz < 1e6 ? (long)mhz + (mhz > (double)(long)mhz) :
	    0;
}

/* Use the frequency in the name, or, if there is none, as in virtual machines,
 * the current frequency. */
void
load_parse_cpus(FILE *cpuinfo, struct load *load)
{
	long mhz, named = 0, current = 0, named_last = 0, current_last = 0;
	cleanup_free char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, cpuinfo) != -1) {
		if ((mhz = named_mhz(line)) > 0) {
			named++;
			named_last = mhz;
		} else if ((mhz = current_mhz(line)) > 0) {
			current++;
			current_last = mhz;
		}
	}
	load->cpus = named > 0 ? named : current;
	load->mhz = named > 0 ? named_last : current_last;
}

/* Read a file that contains a single number.  Returns 0 if there is none. */
static long
read_number(const char *path)
{
	cleanup_file FILE *fp = fopen(path, "re");
	long n;

	return fp != NULL && fscanf(fp, "%ld", &n) == 1 && n > 0 ? n : 0;
}

static void
read_cpus(struct load *load)
{
	cleanup_file FILE *fp = fopen("/proc/cpuinfo", "re");

	if (fp != NULL)
		load_parse_cpus(fp, load);
	/* processors other than Intel's and AMD's give neither */
	if (load->cpus < 1 && (load->cpus = sysconf(_SC_NPROCESSORS_ONLN)) < 1)
		load->cpus = 1;
	if (load->mhz < 1 && (load->mhz = read_number(CPU_MAX_KHZ) / 1000) < 1)
		load->mhz = MHZ_UNKNOWN;
}

static int
read_average(struct load *load, struct x2gobroker_error *err)
{
	cleanup_file FILE *fp = fopen("/proc/loadavg", "re");
	char line[128];

	if (fp == NULL || fgets(line, sizeof(line), fp) == NULL)
		return error_errno(err, "/proc/loadavg", "cannot read it");
	if (load_parse_average(line, load) == -1)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, "/proc/loadavg",
		    0, "unexpected contents");
	return 0;
}

static int
read_memory(struct load *load, struct x2gobroker_error *err)
{
	cleanup_file FILE *fp = fopen("/proc/meminfo", "re");

	if (fp == NULL)
		return error_errno(err, "/proc/meminfo", "cannot open it");
	load_parse_memory(fp, read_number("/proc/sys/vm/min_free_kbytes"),
	    load);
	return 0;
}

int
load_read(struct load *load, struct x2gobroker_error *err)
{
	memset(load, 0, sizeof(*load));
	if (read_average(load, err) == -1 || read_memory(load, err) == -1)
		return -1;
	read_cpus(load);
	return 0;
}

void
load_put(const struct load *load, struct buf *out)
{
	buf_printf(out, "loadavgXX:%ld\n", load->loadavg);
	buf_printf(out, "memAvail:%ld\n", load->mem_avail);
	buf_printf(out, "myMemAvail:%ld\n", load->my_mem_avail);
	buf_printf(out, "numCPU:%ld\n", load->cpus);
	buf_printf(out, "typeCPU:%ld\n", load->mhz);
}
