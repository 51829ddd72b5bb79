/* Seconds and bytes as people read them: by hand. */

#include "check.h"

static void seconds(void **state)
{
  static const struct {
    double seconds;
    const char *text;
  } row[] = {
      {0.4,      "0 s"     },
      {119,      "119 s"   },
      {120,      "2 m"     },
      {7199,     "119 m"   },
      {7500,     "2 h 05 m"},
      {273600,   "3 d 4 h" },
      {-1,       "?"       },
      {NAN,      "?"       },
      {INFINITY, "?"       },
      {1e300,    "?"       },
  };
  char text[32];

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    ip_seconds_format(row[i].seconds, text);
    assert_string_equal(text, row[i].text);
  }
}

static void bytes(void **state)
{
  char text[32];

  (void)state;
  ip_bytes_format(0, text);
  assert_string_equal(text, "0 B");
  ip_bytes_format(999, text);
  assert_string_equal(text, "999 B");
  ip_bytes_format(999600, text);
  assert_string_equal(text, "1.0 MB");
  ip_bytes_format(222e6, text);
  assert_string_equal(text, "222 MB");
  ip_bytes_format(1.8e19, text);
  assert_string_equal(text, "18.0 EB");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(seconds), cmocka_unit_test(bytes)};

  return RUN_TESTS(tests);
}
