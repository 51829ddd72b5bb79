/* Values as text: shortest, and the same bits when read back. */

#include "check.h"
#include <stdlib.h>

static const char *words(size_t i)
{
  static const char *const name[] = {"full", "all"};

  return i < 2 ? name[i] : NULL;
}

static void formats(ip_type type, ip_value value, const char *want)
{
  const ip_parameter row = {.key = "test.key", .type = type, .choice = words};
  ip_text text = {0};

  OK(ip_value_format(&row, &value, &text));
  assert_string_equal(text.text, want);
  ip_text_clear(&text);
}

static void every_type(void **state)
{
  (void)state;
  formats(IP_SWITCH, (ip_value){.word = -1, .integer = 1}, "yes");
  formats(IP_SWITCH, (ip_value){.word = -1, .integer = 0}, "no");
  formats(IP_INTEGER, (ip_value){.word = -1, .integer = INT64_MIN}, "-9223372036854775808");
  formats(IP_INTEGER, (ip_value){.word = 1}, "all");
  formats(IP_REAL, (ip_value){.word = -1, .real = 0.85}, "0.85");
  formats(IP_REAL, (ip_value){.word = -1, .real = 4e-4}, "0.0004");
  formats(IP_DURATION, (ip_value){.word = -1, .real = 5400}, "5400");
  formats(IP_CHOICE, (ip_value){.word = 0}, "full");
  formats(IP_STRING, (ip_value){.word = -1, .string = "a \"b\" \\ \t"},
          "\"a \\\"b\\\" \\\\ \\x09\"");
  formats(IP_INTEGERS,
          (ip_value){
              .word = -1, .n = 3, .list = (double[]){10, 7, 5}
  },
          "[10, 7, 5]");
  formats(IP_INTERVAL,
          (ip_value){
              .word = -1, .n = 2, .list = (double[]){-1, 1}
  },
          "[-1, 1]");
  formats(IP_INTEGERS, (ip_value){.word = -1, .n = 0}, "[]");
}

static void choice_without_a_word(void **state)
{
  const ip_parameter row = {.key = "test.key", .type = IP_CHOICE, .choice = words};
  ip_text text = {0};

  (void)state;
  FAILS(ip_value_format(&row, &(ip_value){.word = -1}, &text), IP_ERR_INTERNAL, "test.key");
  ip_text_clear(&text);
}

static void back_to_the_same_bits(double value)
{
  char text[32];

  ip_real_format(value, text);
  const double back = strtod(text, NULL);

  if (back != value || !signbit(back) != !signbit(value))
    fail_msg("%a -> \"%s\" -> %a", value, text, back);
}

static void reals_read_back(void **state)
{
  uint64_t x = 88172645463325252ULL; /* xorshift64, Marsaglia 2003 */

  (void)state;
  for (int e = -1074; e <= 1023; e++) {
    back_to_the_same_bits(ldexp(1.0, e));
    back_to_the_same_bits(-nextafter(ldexp(1.0, e), 0.0));
  }
  for (int i = 0; i < 20000; i++) {
    double value;

    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    memcpy(&value, &x, sizeof value);
    if (!isnan(value)) back_to_the_same_bits(value);
  }
  back_to_the_same_bits(0.0);
  back_to_the_same_bits(-0.0);
  back_to_the_same_bits((double)INFINITY);
}

static void reals_are_short(void **state)
{
  static const struct {
    double value;
    const char *text;
  } table[] = {
      {0.1,     "0.1"               },
      {1e-3,    "0.001"             },
      {54.492,  "54.492"            },
      {7.63204, "7.63204"           },
      {10000,   "10000"             },
      {1 / 3.0, "0.3333333333333333"},
  };
  char text[32];

  (void)state;
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    ip_real_format(table[i].value, text);
    assert_string_equal(text, table[i].text);
  }
}

static bool equal(ip_type type, ip_value a, ip_value b)
{
  const ip_parameter row = {.key = "test.key", .type = type, .choice = words};

  return ip_value_equal(&row, &a, &b);
}

static void equal_bit_for_bit(void **state)
{
  const double nan = (double)NAN, list[] = {1, 2, 3}, same[] = {1, 2, 3};
  char text[] = "a";

  (void)state;
  assert_true(equal(IP_INTEGER, (ip_value){.word = 1, .integer = 3}, (ip_value){.word = 1}));
  assert_false(equal(IP_INTEGER, (ip_value){.word = 1}, (ip_value){.word = -1}));
  assert_false(equal(IP_INTEGER, (ip_value){.word = -1, .integer = 1}, (ip_value){.word = -1}));
  assert_true(equal(IP_REAL, (ip_value){-1, .real = nan}, (ip_value){-1, .real = nan}));
  assert_false(equal(IP_REAL, (ip_value){-1, .real = 0.0}, (ip_value){-1, .real = -0.0}));
  assert_true(equal(IP_STRING, (ip_value){-1, .string = "a"}, (ip_value){-1, .string = text}));
  assert_false(equal(IP_STRING, (ip_value){-1, .string = "a"}, (ip_value){-1, .string = "b"}));
  assert_true(equal(IP_INTEGERS, (ip_value){-1, .n = 3, .list = list},
                    (ip_value){-1, .n = 3, .list = same}));
  assert_false(equal(IP_INTEGERS, (ip_value){-1, .n = 3, .list = list},
                     (ip_value){-1, .n = 2, .list = list}));
  assert_true(equal(IP_INTEGERS, (ip_value){-1, .n = 0}, (ip_value){-1, .n = 0}));
}

static void absent_values(void **state)
{
  const ip_parameter row = {.key = "test.key", .type = IP_REAL};
  const ip_value value = {.word = -1, .real = 1};

  (void)state;
  assert_true(ip_value_equal(&row, NULL, NULL));
  assert_false(ip_value_equal(&row, &value, NULL) || ip_value_equal(&row, NULL, &value));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type),        cmocka_unit_test(choice_without_a_word),
      cmocka_unit_test(reals_read_back),   cmocka_unit_test(reals_are_short),
      cmocka_unit_test(equal_bit_for_bit), cmocka_unit_test(absent_values),
  };

  return RUN_TESTS(tests);
}
