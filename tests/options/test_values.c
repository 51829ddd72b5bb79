/* Every type of value: what is read, to the last bit, and what is refused. */

#include "reading.h"

static const ip_value *value(const ip_options *options, ip_key key)
{
  const ip_value *v = ip_options_value(options, 0, key);

  assert_non_null(v);
  return v;
}

static void numbers(void **state)
{
  static const struct {
    const char *text;
    ip_key key;
    double want;
  } good[] = {
      {"train.fraction: 85%",        IP_KEY_TRAIN_FRACTION,      0.85  },
      {"train.fraction: 85 %",       IP_KEY_TRAIN_FRACTION,      0.85  },
      {"train.fraction: \"85 %\"",   IP_KEY_TRAIN_FRACTION,      0.85  },
      {"train.fraction: 5%",         IP_KEY_TRAIN_FRACTION,      0.05  },
      {"train.fraction: 7%",         IP_KEY_TRAIN_FRACTION,      0.07  },
      {"train.fraction: 100%",       IP_KEY_TRAIN_FRACTION,      1     },
      {"train.fraction: .5",         IP_KEY_TRAIN_FRACTION,      0.5   },
      {"train.fraction: 1.",         IP_KEY_TRAIN_FRACTION,      1     },
      {"train.learning_rate: 4e-4",  IP_KEY_TRAIN_LEARNING_RATE, 4e-4  },
      {"train.learning_rate: 4.E-4", IP_KEY_TRAIN_LEARNING_RATE, 4e-4  },
      {"train.learning_rate: +1",    IP_KEY_TRAIN_LEARNING_RATE, 1     },
      {"train: {weight_decay: 0.1}", IP_KEY_TRAIN_WEIGHT_DECAY,  0.1   },
      {"max_time: 90",               IP_KEY_MAX_TIME,            90    },
      {"max_time: 1.5",              IP_KEY_MAX_TIME,            1.5   },
      {"max_time: 01:30:05",         IP_KEY_MAX_TIME,            5405  },
      {"max_time: 100:00:00",        IP_KEY_MAX_TIME,            360000},
  };

  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    ip_options *options = reading(good[i].text, NULL, NULL);

    if (value(options, good[i].key)->real != good[i].want)
      fail_msg("%s: %.17g", good[i].text, value(options, good[i].key)->real);
    assert_int_equal(value(options, good[i].key)->word, -1);
    ip_options_destroy(&options);
    assert_null(options);
  }
}

/* Percentages are digits / 100 rounded once, as the compiler rounds the decimal fraction. */
static void percentages(void **state)
{
  static const double want[] = {0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.14, 0.28,
                                0.29, 0.55, 0.56, 0.57, 0.58, 0.69, 0.83, 0.85, 0.99};

  (void)state;
  for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
    char text[64];

    snprintf(text, sizeof text, "train.fraction: %.0f%%", want[i] * 100);
    ip_options *options = reading(text, NULL, NULL);
    assert_true(value(options, IP_KEY_TRAIN_FRACTION)->real == want[i]);
    ip_options_destroy(&options);
  }
}

static void whole_numbers(void **state)
{
  static const struct {
    const char *text;
    int64_t want;
  } good[] = {
      {"seed: 0",                   0                  },
      {"seed: -0",                  0                  },
      {"seed: +7",                  7                  },
      {"seed: 007",                 7                  },
      {"seed: 1e4",                 10000              },
      {"seed: 1.5e1",               15                 },
      {"seed: 10.0",                10                 },
      {"seed: 1200e-2",             12                 },
      {"seed: 0e999999999999",      0                  },
      {"seed: 9007199254740993",    9007199254740993   }, /* 2^53 + 1: no double */
      {"seed: 9223372036854774784", 9223372036854774784}, /* the top of the range */
      {"seed: 922337203685477e4",   9223372036854770000},
  };

  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    ip_options *options = reading(good[i].text, NULL, NULL);

    if (value(options, IP_KEY_SEED)->integer != good[i].want)
      fail_msg("%s: %lld", good[i].text, (long long)value(options, IP_KEY_SEED)->integer);
    ip_options_destroy(&options);
  }
}

static void words(void **state)
{
  ip_options *options =
      reading("train.batch: full\nsave.weights: no\nnetwork.activation: relu\n"
              "estimate: [{kind: kde}]\nlook: log\nreproducible: True\naccept_build: off\n",
              NULL, NULL);

  (void)state;
  assert_int_equal(value(options, IP_KEY_TRAIN_BATCH)->word, IP_BATCH_FULL);
  assert_int_equal(value(options, IP_KEY_SAVE_WEIGHTS)->word, IP_SAVE_NO);
  assert_string_equal(ip_option_row(IP_KEY_NETWORK_ACTIVATION)
                          ->choice((size_t)value(options, IP_KEY_NETWORK_ACTIVATION)->word),
                      "relu");
  assert_int_equal(value(options, IP_KEY_LOOK)->word, IP_LOOK_LOG);
  assert_int_equal(value(options, IP_KEY_REPRODUCIBLE)->integer, 1);
  assert_int_equal(value(options, IP_KEY_ACCEPT_BUILD)->integer, 0);
  assert_int_equal(value(options, IP_KEY_DATASET_SAMPLES)->word, IP_SAMPLES_ALL);
  assert_null(ip_options_value(options, 0, IP_KEY_DATASET_PATH));
  ip_options_destroy(&options);
}

static void lists(void **state)
{
  ip_options *options =
      reading("network.hidden: [10, 7]\nlook: [0, 10, 1e3]\nonly: [5]\n", NULL, NULL);
  const ip_values *hidden = &options->block[0].key[IP_KEY_NETWORK_HIDDEN];

  (void)state;
  assert_int_equal(hidden->n, 1);
  assert_int_equal(hidden->value[0].n, 2);
  assert_true(hidden->value[0].list[0] == 10 && hidden->value[0].list[1] == 7);
  assert_int_equal(value(options, IP_KEY_LOOK)->n, 3);
  assert_true(value(options, IP_KEY_LOOK)->list[2] == 1000);
  assert_int_equal(value(options, IP_KEY_ONLY)->n, 1);
  ip_options_destroy(&options);

  options = reading("network.hidden: []", NULL, NULL); /* one value: no hidden layer */
  hidden = &options->block[0].key[IP_KEY_NETWORK_HIDDEN];
  assert_int_equal(hidden->n, 1);
  assert_int_equal(hidden->value[0].n, 0);
  ip_options_destroy(&options);

  options = reading("network.hidden: [[1, 2], [], [3]]", NULL, NULL);
  hidden = &options->block[0].key[IP_KEY_NETWORK_HIDDEN];
  assert_int_equal(hidden->n, 3);
  assert_int_equal(hidden->value[0].n, 2);
  assert_int_equal(hidden->value[1].n, 0);
  assert_true(hidden->value[2].list[0] == 3);
  ip_options_destroy(&options);
}

static void texts(void **state)
{
  ip_options *options =
      reading("dataset: {name: [mat, symmetric], path: \"a \\\"b\\\" # c\"}", NULL, NULL);

  (void)state;
  assert_string_equal(value(options, IP_KEY_DATASET_PATH)->string, "a \"b\" # c");
  ip_options_destroy(&options);
  options = reading("", "dataset.path=/data/85%", "dataset.name=mat");
  assert_string_equal(value(options, IP_KEY_DATASET_PATH)->string, "/data/85%");
  ip_options_destroy(&options);
}

/* What breaks a line somewhere, or is no character, would not come back from the file unchanged. */
static void texts_of_one_line(void **state)
{
  static const char *const other[] = {"\\x7f", "\\x1b",   "\\x85",  "\\L",
                                      "\\P",   "\\uFFFE", "\\uFFFF"};
  static const char *const fine[][2] = {
      {"\\xa0",   "\xc2\xa0"    },
      {"\\u2027", "\xe2\x80\xa7"},
      {"\\u2044", "\xe2\x81\x84"},
      {"\\uFFFD", "\xef\xbf\xbd"},
      {"\\uFF21", "\xef\xbc\xa1"}
  };
  ip_options *options = NULL;
  char text[128];

  (void)state;
  for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
    snprintf(text, sizeof text, "dataset: {name: mat, path: \"a%sb\"}", other[i]);
    FAILS(ip_options_read("my.yaml", text, strlen(text), 0, NULL, &options), IP_ERR_CONFIG,
          "is not a text of one line");
  }
  for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
    snprintf(text, sizeof text, "dataset: {name: mat, path: \"%s\"}", fine[i][0]);
    options = reading(text, NULL, NULL);
    assert_string_equal(value(options, IP_KEY_DATASET_PATH)->string, fine[i][1]);
    ip_options_destroy(&options);
  }
}

/* What is shown of a long value ends between two characters, wherever they lie. */
static void long_values_are_cut(void **state)
{
  ip_options *options = NULL;
  char text[256];

  (void)state;
  for (int n = 50; n < 90; n++) {
    snprintf(text, sizeof text, "seed: %0*d\xe2\x82\xac\xe2\x82\xac%0*d", n, 0, 50, 0);
    ip_error_clear();
    assert_int_equal(ip_options_read("my.yaml", text, strlen(text), 0, NULL, &options),
                     IP_ERR_CONFIG);
    const char *end = strstr(ip_error_message(), "...\"");

    assert_non_null(end);
    assert_true(end[-1] == '0' || memcmp(end - 3, "\xe2\x82\xac", 3) == 0);
  }
  ip_error_clear();
}

static void intervals(void **state)
{
  static const char *const wrong[] = {"[1]",       "[2, 1]", "[1, 1]",
                                      "[1, 2, 3]", "[1, x]", "[[1], 2]"};
  ip_options *options = NULL;
  char text[128];

  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    snprintf(text, sizeof text, "estimate: [{kind: binning, bins: 30, range: %s}]", wrong[i]);
    FAILS(ip_options_read("my.yaml", text, strlen(text), 0, NULL, &options), IP_ERR_CONFIG,
          "range");
  }
}

static const struct {
  const char *text, *place, *error;
} bad[] = {
    {"seed: 1.5",                             "1:7",  "seed: \"1.5\" is not a whole number from 0 to 9223372036854774784" },
    {"seed: 0x10",                            "1:7",  "seed: \"0x10\" is not a whole number from 0 to 9223372036854774784"},
    {"seed: -1",                              "1:7",  "seed: \"-1\" is not a whole number from 0 to 9223372036854774784"  },
    {"seed: 9223372036854775807",             "1:7",
     "seed: \"9223372036854775807\" is not a whole number from 0 to 9223372036854774784"                                  },
    {"seed: 18446744073709551617",            "1:7",
     "seed: \"18446744073709551617\" is not a whole number from 0 to 9223372036854774784"                                 },
    {"seed: 1e99",                            "1:7",  "seed: \"1e99\" is not a whole number from 0 to 9223372036854774784"},
    {"seed: 10000000000000000000001e-22",     "1:7",
     "seed: \"10000000000000000000001e-22\" is not a whole number from 0 to "
     "9223372036854774784"                                                                                                },
    {"seed: 3 4",                             "1:7",  "seed: \"3 4\" is not a whole number from 0 to 9223372036854774784" },
    {"seed: '3 '",                            "1:7",  "seed: \"3 \" is not a whole number from 0 to 9223372036854774784"  },
    {"repeat: 0",                             "1:9",  "repeat: \"0\" is not a whole number from 1 to 2147483647"          },
    {"train.batch: 50%",                      "1:14",
     "train.batch: \"50%\" is not a whole number from 1 to 2147483647, or full"                                           },
    {"train.batch: Full",                     "1:14",
     "train.batch: \"Full\" is not a whole number from 1 to 2147483647, or full. "
     "Did you mean \"full\"?"                                                                                             },
    {"train.fraction: 150%",                  "1:17",
     "train.fraction: \"150%\" is not a number from 1e-09 to 1"                                                           },
    {"train.fraction: 0",                     "1:17", "train.fraction: \"0\" is not a number from 1e-09 to 1"             },
    {"train.fraction: nan",                   "1:17", "train.fraction: \"nan\" is not a number from 1e-09 to 1"           },
    {"train.fraction: .inf",                  "1:17",
     "train.fraction: \".inf\" is not a number from 1e-09 to 1"                                                           },
    {"train.fraction: 1e400%",                "1:17",
     "train.fraction: \"1e400%\" is not a number from 1e-09 to 1"                                                         },
    {"train.fraction: 0.5 %%",                "1:17",
     "train.fraction: \"0.5 %%\" is not a number from 1e-09 to 1"                                                         },
    {"train.fraction: {a: 1}",                "1:17",
     "train.fraction: a mapping is not a number from 1e-09 to 1"                                                          },
    {"max_time: 90:00",                       "1:11",
     "max_time: \"90:00\" is not a time (seconds, or hh:mm:ss) from 0 to 1000000000, or none"                             },
    {"max_time: 00:60:00",                    "1:11",
     "max_time: \"00:60:00\" is not a time (seconds, or hh:mm:ss) from 0 to 1000000000, or "
     "none"                                                                                                               },
    {"max_time: 1:30000",                     "1:11",
     "max_time: \"1:30000\" is not a time (seconds, or hh:mm:ss) from 0 to 1000000000, or "
     "none"                                                                                                               },
    {"max_time: 1:3a:00",                     "1:11",
     "max_time: \"1:3a:00\" is not a time (seconds, or hh:mm:ss) from 0 to 1000000000, or "
     "none"                                                                                                               },
    {"max_time: 1:30:0a",                     "1:11",
     "max_time: \"1:30:0a\" is not a time (seconds, or hh:mm:ss) from 0 to 1000000000, or "
     "none"                                                                                                               },
    {"max_time: 1:30:60",                     "1:11",
     "max_time: \"1:30:60\" is not a time (seconds, or hh:mm:ss) from 0 to 1000000000, or "
     "none"                                                                                                               },
    {"max_time: 9999999999:00:00",            "1:11",
     "max_time: \"9999999999:00:00\" is not a time (seconds, or hh:mm:ss) from 0 to "
     "1000000000, or none"                                                                                                },
    {"reproducible: 1",                       "1:15", "reproducible: \"1\" is not yes or no"                              },
    {"network.hidden: 10",                    "1:17",
     "network.hidden: \"10\" is not a list like [1, 2] of whole numbers from 1 to 65536"                                  },
    {"network.hidden: [10, 0]",               "1:22",
     "network.hidden: \"0\" is not a whole number from 1 to 65536"                                                        },
    {"look: [saxe, 10]",                      "1:8",  "look: \"saxe\" is not a whole number from 0 to 2147483646"         },
    {"repeat: [1, 2]",                        "1:9",  "repeat: takes one value, not a list of them"                       },
    {"seed: []",                              "1:7",  "seed: a list of 0 values leaves nothing to do"                     },
    {"seed:",                                 "1:1",  "seed has no value"                                                 },
    {"seed: ~",                               "1:1",  "seed has no value"                                                 },
    {"seed: [1, ]\nrepeat: null",             "2:1",  "repeat has no value"                                               },
    {"train.fraction: [85%, 0.5, 0.85]",      "1:28",
     "train.fraction: 0.85 stands twice in the list"                                                                      },
    {"network.hidden: [[3], [4], [3]]",       "1:28", "network.hidden: [3] stands twice in the list"                      },
    {"dataset: {name: mat, path: \"a\\nb\"}", "1:28",
     "dataset.path: \"a\\x0ab\" is not a text of one line"                                                                },
};

static void refuses(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    refused_once(bad[i].text, bad[i].place, bad[i].error);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers),
      cmocka_unit_test(percentages),
      cmocka_unit_test(whole_numbers),
      cmocka_unit_test(words),
      cmocka_unit_test(lists),
      cmocka_unit_test(texts),
      cmocka_unit_test(texts_of_one_line),
      cmocka_unit_test(long_values_are_cut),
      cmocka_unit_test(intervals),
      cmocka_unit_test(refuses),
  };

  return RUN_TESTS(tests);
}
