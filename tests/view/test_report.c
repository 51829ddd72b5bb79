/* What a page keeps of many looks, and how its numbers are packed. */

#include "check.h"
#include "report.h"
#include <zlib.h>

static void the_first_and_the_last_are_kept_and_none_twice(void **state)
{
  (void)state;
  for (size_t n = 1; n < 60; n++)
    for (size_t most = 2; most < 60; most++) {
      const size_t kept = report_kept(n, most);

      assert_int_equal(kept, n < most ? n : most);
      assert_int_equal(report_thinned(n, most, 0), 0);
      assert_int_equal(report_thinned(n, most, kept - 1), n - 1);
      for (size_t i = 1; i < kept; i++)
        assert_true(report_thinned(n, most, i) > report_thinned(n, most, i - 1));
    }
}

static void texts_end_no_script(void **state)
{
  ip_text json = {0};

  (void)state;
  OK(report_text(&json, "</script>&\"\\\n\x01 \xc3\x9f"));
  assert_string_equal(json.text,
                      "\"\\u003c/script\\u003e\\u0026\\u0022\\u005c\\u000a\\u0001 \xc3\x9f\"");
  ip_text_clear(&json);
  OK(report_number(&json, (double)NAN));
  OK(report_number(&json, -0.5));
  assert_string_equal(json.text, "null-0.5");
  ip_text_clear(&json);
}

/* The bytes of a packed array, back from base64 and zlib. */
static size_t unpacked(const char *json, unsigned char bytes[64])
{
  static const char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *text = strstr(json, "\"bytes\": \"");
  unsigned char packed[256];
  size_t n = 0;
  uLongf length = 64;

  assert_non_null(text);
  text += strlen("\"bytes\": \"");
  for (unsigned held = 0, bits = 0; *text != '=' && *text != '"'; text++) {
    held = held << 6 | (unsigned)(strchr(letters, *text) - letters);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    packed[n++] = (unsigned char)(held >> bits);
  }
  assert_int_equal(uncompress(bytes, &length, packed, (uLong)n), Z_OK);
  return length;
}

/* By hand: in a range of 0 to 65534 a value is its own number. From look to look it changes by 0 1 | 2 3 in
   one block, and by none (65535) | 65534 - 65535 in the other; high bytes stand first. */
static void differences_are_packed(void **state)
{
  static const unsigned char want[] = {0, 0, 0, 0, 255, 255, 0, 1, 2, 3, 255, 255};
  const report_block block[] = {
      {2, 2},
      {2, 1}
  };
  double value[] = {0, 1, 2, 4, (double)NAN, 65534}, low[] = {(double)NAN, 0.0, -1.0};
  unsigned char bytes[64];
  ip_text json = {0};

  (void)state;
  OK(report_pack(2, block, value, false, &json));
  assert_non_null(strstr(json.text, "{\"low\": 0, \"high\": 65534, \"log\": false, "));
  assert_int_equal(unpacked(json.text, bytes), sizeof want);
  assert_memory_equal(bytes, want, sizeof want);
  ip_text_clear(&json);
  OK(report_pack(1, &(report_block){3, 1}, low, true, &json)); /* nothing above zero */
  assert_non_null(strstr(json.text, "{\"low\": 0, \"high\": 0, \"log\": true, "));
  assert_int_equal(unpacked(json.text, bytes), 6);
  assert_memory_equal(bytes, ((const unsigned char[]){255, 0, 0, 255, 0, 0}), 6);
  ip_text_clear(&json);
  OK(report_pack(0, NULL, NULL, false, &json)); /* no run */
  assert_int_equal(unpacked(json.text, bytes), 0);
  ip_text_clear(&json);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_and_the_last_are_kept_and_none_twice),
      cmocka_unit_test(texts_end_no_script),
      cmocka_unit_test(differences_are_packed),
  };

  return RUN_TESTS(tests);
}
