/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least that a C program can cost: what the broker is measured against. */
#include <stdio.h>

int
main(void)
{
	puts("Access granted");
	return 0;
}
