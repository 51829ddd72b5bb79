/* Memory: zeroed, aligned, refused whole; text that grows. */

#include "check.h"

static void zeroed_and_aligned(void **state)
{
  (void)state;
  for (size_t n = 1; n < 200; n += 7) {
    double *x = NULL;

    OK(IP_ALLOCATE(n, &x));
    assert_int_equal((uintptr_t)x % IP_ALIGNMENT, 0);
    for (size_t i = 0; i < n; i++) assert_true(x[i] == 0.0), x[i] = (double)NAN;
    ip_release(&x);
    assert_null(x);
    ip_release(&x);
  }
}

static void nothing_is_null(void **state)
{
  double here, *x = &here;

  (void)state;
  OK(IP_ALLOCATE(0, &x));
  assert_null(x);
}

/* Sizes whose product or rounding up does not fit are refused, and the pointer is untouched. */
static void overflow_is_refused(void **state)
{
  const size_t count[] = {SIZE_MAX, SIZE_MAX / 8 + 1, SIZE_MAX / 8, (SIZE_MAX >> 1) / 8};
  double here, *x = &here;

  (void)state;
  for (size_t i = 0; i < sizeof count / sizeof count[0]; i++) {
    FAILS(IP_ALLOCATE(count[i], &x), IP_ERR_INTERNAL, "no memory");
    assert_ptr_equal(x, &here);
  }
}

static void copies(void **state)
{
  const char *original = "a text";
  char *copy;

  (void)state;
  OK(ip_text_copy(original, &copy));
  assert_string_equal(copy, original);
  assert_ptr_not_equal(copy, original);
  ip_release(&copy);
}

static void text_grows(void **state)
{
  ip_text text = {0};

  (void)state;
  for (int i = 0; i < 10000; i++) OK(ip_text_add(&text, "%05d,", i));
  assert_int_equal(text.length, 60000);
  assert_int_equal(strlen(text.text), 60000);
  assert_memory_equal(text.text + 6 * 1234, "01234,01235,", 12);
  assert_true(text.room > text.length);
  OK(ip_text_add(&text, "%s", ""));
  assert_int_equal(text.length, 60000);
  ip_text_clear(&text);
  assert_null(text.text);
  assert_int_equal(text.length + text.room, 0);
  ip_text_clear(&text);
}

/* One addition much longer than the room left, and each length around the first room. */
static void text_of_every_length(void **state)
{
  (void)state;
  for (int n = 0; n < 300; n++) {
    ip_text text = {0};

    OK(ip_text_add(&text, "%*s|", n, ""));
    OK(ip_text_add(&text, "%*s|", n, ""));
    assert_int_equal(text.length, 2 * n + 2);
    assert_int_equal(strlen(text.text), 2 * n + 2);
    assert_true(text.text[n] == '|' && text.text[2 * n + 1] == '|');
    ip_text_clear(&text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(zeroed_and_aligned),  cmocka_unit_test(nothing_is_null),
      cmocka_unit_test(overflow_is_refused), cmocka_unit_test(copies),
      cmocka_unit_test(text_grows),          cmocka_unit_test(text_of_every_length),
  };

  return RUN_TESTS(tests);
}
