/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/loadavg, behind a form feed meminfo, and behind another one cpuinfo.
 * They are the kernel's, or those of something that plays the kernel, as in a
 * container; whatever they say, the broker understands what the agent makes of
 * it.
 */
#include "agent/answer.h"
#include "base/cleanup.h"
#include "fuzz.h"
#include "load.h"

static void
check_answer(const struct load *load)
{
	struct agent_report report;
	struct buf out = { 0 };

	agent_report_init(&report);
	buf_puts(&out, "OK\n");
	load_put(load, &out);
	must(agent_parse_load(out.data, out.len, NULL, &report, NULL) == 0);
	must(report.load_known && report.load_factor >= 1);
	agent_report_free(&report);
	buf_free(&out);
}

static FILE *
open_text(const char *text)
{
	return fuzz_open(text, strlen(text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text;
	const char *average = strsep(&rest, "\f");
	const char *memory = rest != NULL ? strsep(&rest, "\f") : "";
	struct load load = { .cpus = 0 };
	cleanup_file FILE *meminfo = open_text(memory);
	cleanup_file FILE *cpuinfo = open_text(rest != NULL ? rest : "");

	load_parse_memory(meminfo, 67584, &load);
	load_parse_cpus(cpuinfo, &load);
	must(load.mem_avail >= 0 && load.my_mem_avail >= 0);
	must((load.cpus > 0) == (load.mhz > 0));
	must(load.cpus >= 0 && load.mhz >= 0);
	if (load_parse_average(average, &load) == 0) {
		must(load.loadavg >= 1);
		/* load_read() knows how many there are */
		if (load.cpus < 1)
			load.cpus = load.mhz = 1;
		check_answer(&load);
	}
	free(text);
	return 0;
}
