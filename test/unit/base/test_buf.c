/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked with --wrap=free, to see what memory holds when it goes back.
 */
#include <wchar.h>

#include "base/buf.h"
#include "support.h"

void	__real_free(void *p);
void	__wrap_free(void *p);

static const void *watched;
static size_t watched_size;
static bool seen, was_wiped;

void
__wrap_free(void *p)
{
	size_t i;

	if (p != NULL && p == watched) {
		seen = was_wiped = true;
		for (i = 0; i < watched_size; i++)
			if (((const char *)p)[i] != '\0')
				was_wiped = false;
	}
	__real_free(p);
}

static void
watch(const struct buf *buf)
{
	watched = buf->data;
	watched_size = buf->len;
	seen = false;
}

static void
text_grows(void **state unused)
{
	struct buf buf = { 0 };
	size_t i;

	buf_put(&buf, "abc", 2);
	assert_string_equal(buf.data, "ab");
	buf_puts(&buf, "-cd");
	buf_putc(&buf, '!');
	buf_printf(&buf, "%d%s", 42, "x");
	assert_string_equal(buf.data, "ab-cd!42x");
	assert_int_equal(buf.len, 9);
	for (i = 0; i < 10000; i++) {
		buf_printf(&buf, "%zu,", i);
		assert_int_equal(buf.data[buf.len], '\0');
	}
	assert_int_equal(buf.len, 9 + 48890);
	assert_memory_equal(buf.data, "ab-cd!42x0,1,2,3,", 17);
	assert_string_equal(buf.data + buf.len - 5, "9999,");
	assert_false(buf.failed);
	buf_free(&buf);
}

static void
every_length_near_the_first_size_fits(void **state unused)
{
	char text[1100];
	size_t len;

	memset(text, 'x', sizeof(text));
	for (len = 1000; len < sizeof(text); len++) {
		struct buf buf = { 0 };

		buf_put(&buf, text, len);
		buf_printf(&buf, "%c", 'y');
		assert_int_equal(buf.len, len + 1);
		assert_true(buf.len < buf.size);
		assert_int_equal(buf.data[len], 'y');
		assert_int_equal(buf.data[len + 1], '\0');
		buf_free(&buf);
	}
}

static void
nothing_put_in_is_an_empty_string(void **state unused)
{
	struct buf buf = { 0 };

	buf_truncate(&buf, 0);
	assert_null(buf.data);
	buf_puts(&buf, "");
	assert_string_equal(buf.data, "");
	assert_int_equal(buf.len, 0);
	buf_free(&buf);
}

static void
nul_bytes_are_kept(void **state unused)
{
	struct buf buf = { 0 };

	buf_put(&buf, "a\0b", 3);
	buf_putc(&buf, '\0');
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.data, "a\0b\0", 5);
	buf_free(&buf);
}

static void
what_is_cut_off_is_wiped(void **state unused)
{
	struct buf buf = { 0 };

	buf_puts(&buf, "secret");
	buf_truncate(&buf, 6);
	buf_truncate(&buf, 99);
	assert_string_equal(buf.data, "secret");
	buf_truncate(&buf, 2);
	assert_int_equal(buf.len, 2);
	assert_memory_equal(buf.data, "se\0\0\0\0", 7);
	buf_puts(&buf, "t");
	assert_string_equal(buf.data, "set");
	buf_free(&buf);
}

static void
memory_is_wiped_before_it_goes_back(void **state unused)
{
	struct buf buf = { 0 };
	char text[2000];

	memset(text, 'k', sizeof(text));
	buf_put(&buf, text, 1000);
	watch(&buf);
	buf_put(&buf, text, sizeof(text));
	if (!seen) {	/* libbsd is no archive here, so its free() is not ours */
		buf_free(&buf);
		skip();
	}
	assert_true(was_wiped);
	assert_memory_equal(buf.data, text, sizeof(text));
	watch(&buf);
	buf_free(&buf);
	assert_true(seen && was_wiped);
	assert_null(buf.data);
	assert_int_equal(buf.len + buf.size, 0);
}

static void
a_size_that_cannot_be_is_remembered(void **state unused)
{
	struct buf buf = { 0 };

	buf_puts(&buf, "abc");
	buf_put(&buf, "", SIZE_MAX / 2);
	assert_true(buf.failed);
	buf_puts(&buf, "d");
	buf_printf(&buf, "%d", 1);
	buf_putc(&buf, 'e');
	assert_string_equal(buf.data, "abc");
	buf_truncate(&buf, 0);
	assert_true(buf.failed);
	buf_free(&buf);
	assert_false(buf.failed);
}

/* What printf(3) has no text for. */
static void
what_cannot_be_printed_is_remembered(void **state unused)
{
	static const wchar_t wide[] = { 0xd800, 0 };
	struct buf buf = { 0 };

	buf_puts(&buf, "abc");
	buf_printf(&buf, "%ls", wide);
	assert_true(buf.failed);
	assert_string_equal(buf.data, "abc");
	buf_free(&buf);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_grows),
		cmocka_unit_test(every_length_near_the_first_size_fits),
		cmocka_unit_test(nothing_put_in_is_an_empty_string),
		cmocka_unit_test(nul_bytes_are_kept),
		cmocka_unit_test(what_is_cut_off_is_wiped),
		cmocka_unit_test(memory_is_wiped_before_it_goes_back),
		cmocka_unit_test(a_size_that_cannot_be_is_remembered),
		cmocka_unit_test(what_cannot_be_printed_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
