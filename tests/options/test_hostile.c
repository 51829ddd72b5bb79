/* Texts that are no input: each is refused with a place, none is read past its end or forever. */

#include "reading.h"
#include <stdlib.h>

static void not_yaml(void **state)
{
  static const struct {
    const char *text, *place, *error;
  } bad[] = {
      {"a: [1, 2\n",                     "2:1",
       "not YAML: did not find expected ',' or ']' while parsing a flow sequence that begins "
       "at "
       "line 1"                                                                                                },
      {"train:\n\tbatch: 1\n",           "2:1", "a tab cannot indent YAML: use spaces"                         },
      {"seed: 1\n  batch: 2\n",          "2:8",
       "not YAML: mapping values are not allowed in this context"                                              },
      {"seed: &x 1\n",                   "1:7", "anchors (&name) are not read here: write the value itself"    },
      {"seed: *x\n",                     "1:7", "aliases (*name) are not read here: write the value itself"    },
      {"seed: !!int 3\n",                "1:7", "tags (!name) are not read here: write the value itself"       },
      {"train: !x {batch: 3}\n",         "1:8",
       "tags (!name) are not read here: write the value itself"                                                },
      {"<<: {a: 1}\n",                   "1:1", "merge keys (<<) are not read here"                            },
      {"? [a, b]\n: 3\n",                "1:3", "a key must be a word"                                         },
      {"--- {seed: 1}\n--- {seed: 2}\n", "2:1",
       "a second document begins here: an input is one document"                                               },
      {"seed: \"a\\0\"\n",               "1:7", "a text must not hold a NUL"                                   },
      {"seed: \xff\n",                   "1:7", "byte 0xff is no text: an input is UTF-8 without NUL"          },
      {"# \xc3\xa9\nlook: \xc3(",        "2:7", "byte 0xc3 is no text: an input is UTF-8 without NUL"          },
      {"seed: \xed\xa0\x80",             "1:7", "byte 0xed is no text: an input is UTF-8 without NUL"          },
      {"seed: \xc0\x80",                 "1:7", "byte 0xc0 is no text: an input is UTF-8 without NUL"          },
      {"seed: \"\\e[31m\"\n",            "1:7",
       "seed: \"\\x1b[31m\" is not a whole number from 0 to 9223372036854774784"                               },
      {"a\033b: 1\n",                    "1:2", "not YAML: control characters are not allowed (character 0x1b)"},
  };

  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    refused_once(bad[i].text, bad[i].place, bad[i].error);
  refused("seed: 1\0\n", 9, 0, NULL,
          "my.yaml:1:8: error: byte 0x00 is no text: an input is UTF-8 without NUL\n"
          "1 error, nothing was started.");
}

static void refused_with(const char *text, size_t length, const char *part)
{
  ip_options *options = NULL;

  FAILS(ip_options_read("my.yaml", text, length, 0, NULL, &options), IP_ERR_CONFIG, part);
}

/* The same few bytes again and again. */
static char *repeated(const char *head, const char *unit, size_t times)
{
  const size_t length = strlen(unit);
  char *text = malloc(strlen(head) + times * length + 1);

  assert_non_null(text);
  memcpy(text, head, strlen(head));
  for (size_t i = 0; i < times; i++) memcpy(text + strlen(head) + i * length, unit, length);
  text[strlen(head) + times * length] = '\0';
  return text;
}

static void bombs(void **state)
{
  static const struct {
    const char *head, *unit;
    size_t times;
    const char *error;
  } bomb[] = {
      {"",                              "[",      100000,   "nested deeper than 16 levels"},
      {"",                              "{a: ",   100000,   "nested deeper than 16 levels"},
      {"",                              "- ",     100000,   "nested deeper than 16 levels"},
      {"",                              "? ",     100000,   "nested deeper than 16 levels"},
      {"only: [",                       "1,",     220000,   "more than 200000 values"     },
      {"seed: [0",                      ",1",     20000,    "an axis has at most 10000"   },
      {"",                              "k: 1\n", 1000,     "At least 100 errors"         },
      {"studies:\n",                    "- {}\n", 1001,     "at most 1000"                },
      {"seed: ",                        "9",      1000000,  "...\" is not a whole number" },
      {"train.fraction: ",              "0",      1000000,  "...\" is not a number"       },
      {"dataset: {name: mat, path: \"", "x",      17000000, "at most 16 MiB"              },
  };

  (void)state;
  for (size_t i = 0; i < sizeof bomb / sizeof bomb[0]; i++) {
    char *text = repeated(bomb[i].head, bomb[i].unit, bomb[i].times);
    const bool open_list = strchr(bomb[i].head, '[') != NULL;
    const size_t length = strlen(text);

    if (open_list) text[length - 1] = ']';
    refused_with(text, length, bomb[i].error);
    free(text);
  }
}

static void too_many_columns(void **state)
{
  char text[8192] = "estimate: [{kind: kde, noise_variance: [1";

  (void)state;
  for (int i = 2; i <= 600; i++) sprintf(text + strlen(text), ", %d", i);
  sprintf(text + strlen(text), "]}]");
  refused_with(text, strlen(text), "more than 1000 columns"); /* two bounds each */

  /* none too many by itself, but all together */
  strcpy(text, "estimate: [{kind: binning, bins: 30}");
  for (int e = 0; e < 2; e++) {
    sprintf(text + strlen(text), ", {kind: kde, noise_variance: [1");
    for (int i = 2; i <= 300; i++) sprintf(text + strlen(text), ", %d", i + 1000 * e);
    sprintf(text + strlen(text), "]}");
  }
  sprintf(text + strlen(text), "]");
  refused_with(text, strlen(text), "1201 columns: at most 1000 are measured");
}

/* A good input cut anywhere, and with bytes replaced by each that YAML gives a meaning, is read
   or refused. */
static void mutilated(void **state)
{
  static const char good[] =
      "# c\ndataset: {name: mat, path: \"a b\"}\ntrain:\n  fraction: [5%, 85 %]\n  batch: "
      "full\n"
      "network.hidden: [[3], []]\nestimate:\n  - {kind: binning, bins: [30, 8], on: test}\n"
      "studies: [{name: a}, {look: [1, 2], max_time: 1:2:3}]\n";
  static const char byte[] = "\0\t\n :-[]{},'\"#&*!|>%@?9\xff";

  (void)state;
  for (size_t at = 0; at < sizeof good - 1; at++)
    for (size_t b = at % 4; b < sizeof byte; b += 4) {
      char text[sizeof good];
      ip_options *options = NULL;

      memcpy(text, good, sizeof good);
      if (b < sizeof byte - 1) text[at] = byte[b];
      ip_error_clear();
      const PetscErrorCode code = ip_options_read(
          "my.yaml", text, b < sizeof byte - 1 ? sizeof good - 1 : at, 0, NULL, &options);

      if (code) {
        assert_int_equal(code, IP_ERR_CONFIG);
        assert_non_null(strstr(ip_error_message(), "nothing was started."));
      }
      ip_options_destroy(&options);
    }
  ip_error_clear();
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(not_yaml),
      cmocka_unit_test(bombs),
      cmocka_unit_test(too_many_columns),
      cmocka_unit_test(mutilated),
  };

  return RUN_TESTS(tests);
}
