/* Closed sets of names: lookup, the nearest one, the list that errors show. */

#include "check.h"

static const char *activation(size_t i)
{
  static const char *const name[] = {"tanh",     "relu",     "sigmoid",
                                     "softsign", "softplus", "linear"};

  return i < sizeof name / sizeof name[0] ? name[i] : NULL;
}

static const char *answer(size_t i)
{
  return i == 0 ? "no" : NULL;
}

static const char *nothing(size_t i)
{
  (void)i;
  return NULL;
}

static void found_or_not(void **state)
{
  (void)state;
  assert_int_equal(ip_names_find(activation, "tanh"), 0);
  assert_int_equal(ip_names_find(activation, "linear"), 5);
  assert_int_equal(ip_names_find(activation, "Tanh"), -1);
  assert_int_equal(ip_names_find(activation, "tan"), -1);
  assert_int_equal(ip_names_find(activation, ""), -1);
  assert_int_equal(ip_names_find(nothing, "tanh"), -1);
}

static void nearest(void **state)
{
  static const struct {
    const char *said, *meant;
  } table[] = {
      {"tahn",      "tanh"    }, /* swapped                               */
      {"tanhh",     "tanh"    }, /* one too many                          */
      {"tnh",       "tanh"    }, /* one too few                           */
      {"TANH",      "tanh"    }, /* case is no edit                       */
      {"rely",      "relu"    }, /* replaced                              */
      {"softpluss", "softplus"},
      {"sofsign",   "softsign"},
      {"sigmoidal", "sigmoid" },
      {"linaer",    "linear"  },
  };

  (void)state;
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    const char *name = ip_names_nearest(activation, table[i].said);

    if (!name || strcmp(name, table[i].meant) != 0)
      fail_msg("%s: nearest is %s, not %s", table[i].said, name ? name : "none",
               table[i].meant);
  }
}

/* A word of two letters may differ by one edit: a swap is one, and another case is none. */
static void swap_is_one_edit(void **state)
{
  (void)state;
  assert_string_equal(ip_names_nearest(answer, "on"), "no");
  assert_string_equal(ip_names_nearest(answer, "NO"), "no");
  assert_null(ip_names_nearest(answer, "so far"));
  assert_null(ip_names_nearest(answer, "it"));
}

/* A word that is far from all is answered with nothing, however long it is. */
static void far_words_have_none(void **state)
{
  char longest[300];

  (void)state;
  assert_null(ip_names_nearest(activation, "batch"));
  assert_null(ip_names_nearest(activation, "q"));
  assert_null(ip_names_nearest(activation, ""));
  assert_null(ip_names_nearest(activation, "convolution"));
  assert_null(ip_names_nearest(nothing, "tanh"));
  for (size_t n = 20; n < sizeof longest; n++) {
    memset(longest, 'q', n);
    longest[n] = '\0';
    assert_null(ip_names_nearest(activation, longest));
  }
}

static void listed(void **state)
{
  ip_text text = {0};

  (void)state;
  OK(ip_names_list(nothing, &text));
  assert_null(text.text);
  OK(ip_names_list(activation, &text));
  assert_string_equal(text.text, "tanh relu sigmoid softsign softplus linear");
  ip_text_clear(&text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(found_or_not),     cmocka_unit_test(nearest),
      cmocka_unit_test(swap_is_one_edit), cmocka_unit_test(far_words_have_none),
      cmocka_unit_test(listed),
  };

  return RUN_TESTS(tests);
}
