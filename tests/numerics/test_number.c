/* Numbers for keys: in order of appearance, by all of their bytes. */

#include "check.h"
#include <infoplane/numerics.h>

static void in_order_of_appearance(void **state)
{
  static const char *const word[6] = {"pear", "plum", "pear", "figs", "plum", "kiwi"};
  static const uint32_t want[6] = {0, 1, 0, 2, 1, 3};
  const void *key[6];
  uint32_t id[6];
  size_t different = 0;

  (void)state;
  for (int i = 0; i < 6; i++) key[i] = word[i];
  OK(ip_keys_number(6, key, 4, id, &different));
  assert_int_equal(different, 4);
  assert_memory_equal(id, want, sizeof want);
  OK(ip_keys_number(6, key, 1, id, &different)); /* p p p f p k */
  assert_int_equal(different, 3);
  OK(ip_keys_number(0, key, 4, id, &different));
  assert_int_equal(different, 0);
}

/* Many keys share a slot, and 0 and -0 differ in a bit. */
static void many_keys(void **state)
{
  enum { KEYS = 5000, KINDS = 1700 };
  static double value[KEYS];
  static const void *key[KEYS];
  static uint32_t id[KEYS];
  size_t different = 0;

  (void)state;
  for (int i = 0; i < KEYS; i++) {
    value[i] = i % KINDS;
    key[i] = &value[i];
  }
  OK(ip_keys_number(KEYS, key, sizeof *value, id, &different));
  assert_int_equal(different, KINDS);
  for (int i = 0; i < KEYS; i++) assert_int_equal(id[i], i % KINDS);
  value[KEYS - 1] = -0.0;
  OK(ip_keys_number(KEYS, key, sizeof *value, id, &different));
  assert_int_equal(id[KEYS - 1], KINDS);
}

/* Each mode while it holds, for results and operands, of floats and doubles. */
static void denormals(void **state)
{
  volatile float small = 0x1p-126F, denormal = 0x1p-127F, one = 1.0F, large = 0x1p20F;
  volatile double tiny = 0x1p-1022, two = 2.0;

  (void)state;
  if (under_valgrind()) skip(); /* it knows no such mode */

  const uint64_t before = ip_denormals_flush();

  assert_true(ip_denormals_flush() != before || small / 2.0F > 0.0F); /* twice is once */
#if defined __x86_64__ || defined __aarch64__
  assert_true(small / 2.0F == 0.0F && tiny / two == 0.0 && denormal * large == 0.0F);
  assert_true(small * one > 0.0F && tiny * 1.0 > 0.0);
#endif
  ip_denormals_restore(before);
  assert_true(small / 2.0F > 0.0F && tiny / two > 0.0 && denormal * one > 0.0F);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(denormals),
      cmocka_unit_test(in_order_of_appearance),
      cmocka_unit_test(many_keys),
  };

  return RUN_TESTS(tests);
}
