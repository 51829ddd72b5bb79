/* Epochs looked at: numbers of the papers' presets, counted by hand and in another language. */

#include "check.h"
#include <infoplane/study.h>

static size_t looks(ip_value look, int32_t last, int32_t **epoch)
{
  size_t n = 0;

  OK(ip_look_epochs(&look, last, &n, epoch));
  assert_int_equal((*epoch)[0], 0);
  assert_int_equal((*epoch)[n - 1], last);
  for (size_t i = 1; i < n; i++) assert_true((*epoch)[i - 1] < (*epoch)[i]);
  return n;
}

static void presets(void **state)
{
  static const struct {
    int word;
    int32_t last;
    size_t n;
  } known[] = {
      {IP_LOOK_SAXE,  10000, 212}, /* 20 + 16 + 95 + 80, and 10000                       */
      {IP_LOOK_IDNNS, 10000, 280}, /* 279 distinct below 10000, and 10000                */
      {IP_LOOK_SAXE,  0,     1  },
      {IP_LOOK_IDNNS, 0,     1  },
      {IP_LOOK_LOG,   0,     1  },
      {IP_LOOK_SAXE,  1,     2  },
      {IP_LOOK_IDNNS, 1,     2  },
      {IP_LOOK_LOG,   1,     2  },
      {IP_LOOK_LOG,   10,    11 }, /* all of 0 .. 10: 20 a decade leave none out         */
  };

  (void)state;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    int32_t *epoch = NULL;

    assert_int_equal(looks((ip_value){.word = known[i].word}, known[i].last, &epoch),
                     known[i].n);
    ip_release(&epoch);
  }
}

static void a_list_is_sorted_and_cut(void **state)
{
  const double list[] = {7, 3, 3, 100, 50};
  int32_t *epoch = NULL;

  (void)state;
  assert_int_equal(looks((ip_value){.word = -1, .n = 5, .list = list}, 60, &epoch), 5);
  assert_int_equal(epoch[1], 3);
  assert_int_equal(epoch[2], 7);
  assert_int_equal(epoch[3], 50);
  ip_release(&epoch);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(presets),
      cmocka_unit_test(a_list_is_sorted_and_cut),
  };

  return RUN_TESTS(tests);
}
