/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/arena.h"
#include "support.h"

static void
memory_is_aligned_and_ones_own(void **state unused)
{
	static const size_t sizes[] = { 1, 2, 7, 8, 9, 100, 5000, 16384, 16385,
	    100000, 3 };
	unsigned char *given[LENGTH(sizes)];
	struct arena arena = { 0 };
	size_t i, j;

	for (i = 0; i < LENGTH(sizes); i++) {
		given[i] = arena_alloc(&arena, sizes[i]);
		assert_non_null(given[i]);
		assert_int_equal((uintptr_t)given[i] % sizeof(void *), 0);
		memset(given[i], (int)i, sizes[i]);
	}
	for (i = 0; i < LENGTH(sizes); i++)
		for (j = 0; j < sizes[i]; j++)
			assert_int_equal(given[i][j], i);
	arena_free(&arena);
}

static void
a_copy_has_len_bytes_and_a_nul(void **state unused)
{
	struct arena arena = { 0 };

	assert_string_equal(arena_strndup(&arena, "profile", 3), "pro");
	assert_string_equal(arena_strndup(&arena, "profile", 0), "");
	assert_string_equal(arena_strndup(&arena, "profile", 7), "profile");
	assert_memory_equal(arena_strndup(&arena, "a\0b", 3), "a\0b", 4);
	arena_free(&arena);
}

static void
sizes_that_cannot_be_are_refused(void **state unused)
{
	struct arena arena = { 0 };

	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX / 2 + 1));
	assert_null(arena_strndup(&arena, "", SIZE_MAX));
	assert_null(arena_strndup(&arena, "", SIZE_MAX - 1));
	assert_null(arena.head);
	assert_non_null(arena_alloc(&arena, 1));
	arena_free(&arena);
}

static void
it_can_be_freed_empty_and_used_again(void **state unused)
{
	struct arena arena = { 0 };

	arena_free(&arena);
	assert_non_null(arena_alloc(&arena, 20000));
	arena_free(&arena);
	assert_null(arena.head);
	assert_non_null(arena_alloc(&arena, 1));
	arena_free(&arena);
	arena_free(&arena);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_aligned_and_ones_own),
		cmocka_unit_test(a_copy_has_len_bytes_and_a_nul),
		cmocka_unit_test(sizes_that_cannot_be_are_refused),
		cmocka_unit_test(it_can_be_freed_empty_and_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
