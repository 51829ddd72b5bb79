/* One mistake a row: what is said of it, whatever else is said; and what no mistake is. */

#include "reader.h"
#include "reading.h"
#include <stdlib.h>

#define SIXTEEN         "aaaaaaaaaaaaaaaa"
#define ESTIMATE(entry) "estimate: [" entry "]"

/* An input, a key=value, and what the message holds; NULL: it is no mistake. */
static const struct {
  const char *text, *argument, *says;
} row[] = {
  /* keys */
    {"zz.zzzzzzzzzzzzzzzzzz: 1",                        NULL,                                    "unknown key"                       },
    {"train: {" SIXTEEN SIXTEEN SIXTEEN SIXTEEN ": 1}", NULL,                                    "unknown key"                       },
    {"save: {wieghts: no}",                             NULL,                                    "Did you mean \"weights\"?"         },
    {"save: {zzzzzzzzzz: no}",                          NULL,                                    "unknown key \"zzzzzzzzzz\" in save"},
    {"",                                                "studies=[{seed: 1}]",                   "at the top of the input file only" },
    {"studies: [{studies: [{seed: 1}]}]",               NULL,                                    "at the top of the input file only" },
    {"",
     "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
     "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
     "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "is not key=value"                  },
    {"name: \"\"",                                      NULL,                                    "name: has 0 characters"            },

 /* what YAML has and an input has not */
    {"&a {seed: 1}",                                    NULL,                                    "anchors"                           },
    {"",                                                "seed=&a 1",                             "anchors"                           },
    {"studies: &a [{seed: 1}]",                         NULL,                                    "anchors"                           },
    {"studies: [*a, {seed: 1}]",                        NULL,                                    "aliases"                           },
    {ESTIMATE("&a {kind: kde}"),                        NULL,                                    "anchors"                           },
    {"network.hidden: [1, *a]",                         NULL,                                    "aliases"                           },
    {"seed: \xc3",                                      NULL,                                    "byte 0xc3 is no text"              },
    {"seed: \xc0\x80",                                  NULL,                                    "byte 0xc0 is no text"              },
    {"seed: \xed\xa0\x80",                              NULL,                                    "byte 0xed is no text"              },
    {"seed: \xf4\x90\x80\x80",                          NULL,                                    "byte 0xf4 is no text"              },
    {"name: \xee\x80\x80",                              NULL,                                    NULL                                },

 /* columns */
    {ESTIMATE("{kind: kde, bin: 30}"),                  NULL,                                    "unknown key \"bin\" of kde"        },

 /* numbers */
    {"train.learning_rate: 1e",                         NULL,                                    "is not a number"                   },
    {"train.learning_rate: 1e+",                        NULL,                                    "is not a number"                   },
    {"train.learning_rate: 1e-3",                       NULL,                                    NULL                                },
    {"train.learning_rate: 1E-3",                       NULL,                                    NULL                                },
    {"train.learning_rate: 1e999",                      NULL,                                    "is not a number"                   },
    {"train.learning_rate: 1e-999",                     NULL,                                    "is not a number"                   },
    {"seed: 9223372036854775808",                       NULL,                                    "is not a whole number"             },
    {"seed: 1E3",                                       NULL,                                    NULL                                },
    {"seed: 1e1001",                                    NULL,                                    "is not a whole number"             },
    {"seed: 1e-1000001",                                NULL,                                    "is not a whole number"             },
    {"seed: 0e1001",                                    NULL,                                    NULL                                },
    {"max_time: 1:00:60",                               NULL,                                    "is not a time"                     },
    {"max_time: 1:60:00",                               NULL,                                    "is not a time"                     },
    {"max_time: 1000000000:00:00",                      NULL,                                    "is not a time"                     },
    {"max_time: :00:00",                                NULL,                                    "is not a time"                     },
    {"max_time: 1:00-00",                               NULL,                                    "is not a time"                     },
    {"max_time: 1:0a:00",                               NULL,                                    "is not a time"                     },
    {"max_time: 1:00:0a",                               NULL,                                    "is not a time"                     },
    {"max_time: 1-00:00",                               NULL,                                    "is not a time"                     },
    {"max_time: -1",                                    NULL,                                    "is not a time"                     },

 /* lists */
    {"network.hidden: [[1, [2]]]",                      NULL,                                    "a list is not a whole number"      },
    {"network.hidden: [[1, {a: 2}]]",                   NULL,                                    "a mapping is not a whole number"   },
    {"network.hidden: [[1, a], [2]]",                   NULL,                                    "\"a\" is not a whole number"       },
    {"look: [[1], [2]]",                                NULL,                                    "a list is not a whole number"      },
    {"max_time: [1, 2]",                                NULL,                                    "takes one value, not a list"       },
    {"train.batch: [[1], 2]",                           NULL,                                    "a list is not a whole number"      },
    {ESTIMATE("{kind: binning, range: [0, x]}"),        NULL,                                    "\"x\" is not a number"             },
    {ESTIMATE("{kind: binning, range: [1, 0]}"),        NULL,                                    "is not an interval"                },
    {"network.hidden: [[1], ~]",                        NULL,                                    "network.hidden has no value"       },
};

static void rows(void **state)
{
  int wrong = 0;

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    ip_options *options = NULL;

    ip_error_clear();
    const PetscErrorCode code =
        ip_options_read("my.yaml", row[i].text, strlen(row[i].text), row[i].argument ? 1 : 0,
                        &row[i].argument, &options);
    const bool right = row[i].says ? code == (PetscErrorCode)IP_ERR_CONFIG &&
                                         strstr(ip_error_message(), row[i].says)
                                   : code == PETSC_SUCCESS;

    if (!right)
      print_error("%s %s: code %d: %s\n", row[i].text, row[i].argument ? row[i].argument : "",
                  (int)code, ip_error_message());
    wrong += !right;
    ip_options_destroy(&options);
  }
  ip_error_clear();
  assert_int_equal(wrong, 0);
}

/* More than a message holds: the rest is counted. */
static void many_long_ones(void **state)
{
  ip_text text = {0};

  (void)state;
  for (int i = 0; i < 99; i++)
    OK(ip_text_add(&text, "network.hidden: [" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "%d]\n", i));
  for (int i = 0; i < 99; i++)
    OK(ip_text_add(&text, "zzzzzz_" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "%d: 1\n", i));
  refused(text.text, text.length, 0, NULL, NULL);
  ip_text_clear(&text);
}

/* Lengths that no memory has. */
static void too_much(void **state)
{
  ip_arena arena = {0};
  ip_options *options = NULL;
  char *room = NULL;

  (void)state;
  FAILS(ip_arena_take(&arena, SIZE_MAX, 2, &room), IP_ERR_INTERNAL, "no memory for");
  FAILS(ip_arena_take(&arena, SIZE_MAX, 1, &room), IP_ERR_INTERNAL, "no memory for");
  assert_null(room);
  FAILS(ip_options_read("my.yaml", "", 0, SIZE_MAX, NULL, &options), IP_ERR_USAGE,
        "arguments are too many");
  assert_null(ip_option_part(IP_KEYS));
}

/* Texts that ip_options_config would not write, as a damaged file may hold them. */
static void differences(void **state)
{
  static const char ours[] =
      "studies:\n  - name: \"a\"\n    seed: 1\n    estimate: [{kind: kde}]\n";
  static const struct {
    const char *file, *says;
  } pair[] = {
      {"",                                                                                   "study a: the input has it, the file does not\n"  },
      {"rubbish",                                                                            "study a: the input has it, the file does not\n"  },
      {"studies:\n  - name: a\n    seed: 1\n    estimate: [{kind: kde}]\n",
       "the same blocks stand in another order\n"                                                                                              },
      {"studies:\n  - name: \"b\"\n    seed: 1\n",
       "study b: the file has it, the input does not\n"                                                                                        },
      {"studies:\n  - name: \"a\"\n    seed:\n    no colon\n  indented\n    estimate: [{kind: "
       "kde}]",                                                                       "study a: seed: the file has , the input says 1\n"},
      {"studies:\n  - name: \"a\"\n    seed: 1\n    estimate: [{kind: kde\n",
       "study a: estimate: only the input has {kind: kde}\n"                                                                                   },
      {"studies:\n  - name: \"a\"\n    seed: 1\n    estimate: [{kind: kde}, {kind: kde}]\n",
       "study a: estimate: the file has [{kind: kde}, {kind: kde}], the input says [{kind: "
       "kde}]\n"                                                                                                                               },
      {"studies:\n  - name: \"a\"\n    seed: \n    estimate: [{kind: kde}]\n",
       "study a: seed: the file has , the input says 1\n"                                                                                      },
  };

  (void)state;
  for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
    ip_text words = {0};

    OK(ip_options_difference(pair[i].file, ours, &words));
    if (!strstr(words.text, pair[i].says))
      fail_msg("\"%s\": \"%s\", wanted \"%s\"", pair[i].file, words.text, pair[i].says);
    ip_text_clear(&words);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows),
      cmocka_unit_test(many_long_ones),
      cmocka_unit_test(too_much),
      cmocka_unit_test(differences),
  };

  return RUN_TESTS(tests);
}
