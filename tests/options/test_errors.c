/* Errors: all at once, in order of place, in the words that the user reads. */

#include "reading.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void all_at_once(void **state)
{
  static const char text[] = "# a study\n"
                             "network:\n"
                             "  activation: tahn\n"
                             "lerning_rate: 3\n"
                             "train: {lerning_rate: 2, batch: 0, batch: 3}\n"
                             "network.hidden: [3, x]\n";
  static const char *const argument[] = {"seed=x", "lerning_rate=1e-3", "fast", "repeat="};

  (void)state;
  refused(text, strlen(text), COUNT(argument), argument,
          "my.yaml:3:15: error: network.activation: \"tahn\" is not one of: tanh relu sigmoid "
          "softsign softplus linear. Did you mean \"tanh\"?\n"
          "my.yaml:4:1: error: unknown key \"lerning_rate\". Did you mean "
          "\"train.learning_rate\"?\n"
          "my.yaml:5:9: error: unknown key \"lerning_rate\" in train. Did you mean "
          "\"learning_rate\"?\n"
          "my.yaml:5:33: error: train.batch: \"0\" is not a whole number from 1 to 2147483647, "
          "or full\n"
          "my.yaml:5:36: error: train.batch is given twice, first at line 5\n"
          "my.yaml:6:21: error: network.hidden: \"x\" is not a whole number from 1 to 65536\n"
          "argument 1: error: seed: \"x\" is not a whole number from 0 to 9223372036854774784\n"
          "argument 2: error: unknown key \"lerning_rate\". Did you mean "
          "\"train.learning_rate\"?\n"
          "argument 3: error: \"fast\" is not key=value, as in train.batch=64\n"
          "argument 4: error: repeat has no value\n"
          "10 errors, nothing was started.");
}

static void unknown_keys(void **state)
{
  static const struct {
    const char *text, *place, *error;
  } bad[] = {
      {"train.lerning_rate: 1",                 "1:1",
       "unknown key \"train.lerning_rate\". Did you mean \"train.learning_rate\"?"                                },
      {"batch: 3",                              "1:1",  "unknown key \"batch\". Did you mean \"train.batch\"?"    },
      {"network: {batch: 3}",                   "1:11",
       "unknown key \"batch\" in network. Did you mean \"train.batch\"?"                                          },
      {"trian: {batch: 3}",                     "1:1",  "unknown key \"trian\". Did you mean \"train\"?"          },
      {"estimates: []",                         "1:1",  "unknown key \"estimates\". Did you mean \"estimate\"?"   },
      {"xyzzyxyzzy: 3",                         "1:1",
       "unknown key \"xyzzyxyzzy\"; the topic `keys` of the help lists them all"                                  },
      {"train: {train.batch: 3}",               "1:9",
       "unknown key \"train.batch\" in train. Did you mean \"train.batch\"?"                                      },
      {"train: 3",                              "1:1",  "train is a section: it wants keys, as in {fraction: ...}"},
      {"train: {batch: 1}\ntrain: {epochs: 1}", "2:1",  "train is given twice, first at line 1"                   },
      {"train: {batch: 1}\ntrain.batch: 1",     "2:1",
       "train.batch is given twice, first at line 1"                                                              },
      {"studies: []",                           "1:10", "studies: wants a list of blocks of keys (at most 1000)"  },
      {"studies: [3]",                          "1:11", "studies: a block is a mapping of keys"                   },
      {"studies: [{max_time: 3}]",              "1:12",
       "max_time is the same for all blocks: it stands outside `studies`"                                         },
      {"studies: [{reproducible: yes}]",        "1:12",
       "reproducible is the same for all blocks: it stands outside `studies`"                                     },
      {"studies: [{name: a}, {name: a}]",       "1:29", "name: two blocks are called \"a\""                       },
      {"studies: [{name: study2}, {}]",         "1:27", "name: two blocks are called \"study2\""                  },
      {"name: ''",                              "1:7",  "name: has 0 characters, not 1 to 63"                     },
      {"- 1",                                   "1:1",  "an input consists of keys, as in `seed: 1`"              },
      {"seed",                                  "1:1",  "an input consists of keys, as in `seed: 1`"              },
  };

  (void)state;
  for (size_t i = 0; i < COUNT(bad); i++) refused_once(bad[i].text, bad[i].place, bad[i].error);
}

static void arguments(void **state)
{
  static const char *const twice[] = {"train.batch=3", "seed=1", "train.batch=3"},
                           *const studies[] = {"studies=[{}]"}, *const syntax[] = {"seed=[1"},
                           *const unnamed[] = {"=3"};

  (void)state;
  refused("", 0, 3, twice,
          "argument 3: error: train.batch is given twice, first as argument 1\n"
          "1 error, nothing was started.");
  refused("", 0, 1, studies,
          "argument 1: error: studies: blocks stand at the top of the input file only\n"
          "1 error, nothing was started.");
  refused("", 0, 1, syntax,
          "argument 1: error: not YAML: did not find expected ',' or ']' while parsing a flow "
          "sequence that begins at line 1\n"
          "1 error, nothing was started.");
  refused("", 0, 1, unnamed,
          "argument 1: error: \"=3\" is not key=value, as in train.batch=64\n"
          "1 error, nothing was started.");
}

static void together(void **state)
{
  static const struct {
    const char *text, *place, *error;
  } bad[] = {
      {"train: {epochs: 3, updates: 4}",                                "1:20",
       "train.updates is given beside train.epochs: leave one of them out"       },
      {"dataset.name: [symmetric, mat]",                                "1:15",
       "dataset.name: \"mat\" reads a file: give dataset.path"                   },
      {"dataset: {path: a}",                                            "1:17",
       "dataset.path is not used: it belongs to a dataset.name that reads a file"},
      {"dataset: {name: mat, path: a, labels_path: b}",                 "1:44",
       "dataset.labels_path is not used: it belongs to dataset.name: idx"        },
      {"dataset: {name: mat, path: a, labels: stochastic}",             "1:39",
       "dataset.labels: stochastic needs the rule p(y|x) of dataset.name: symmetric, which "
       "\"mat\" does not have"                                                   },
      {"dataset.gamma: 3",                                              "1:16",
       "dataset.gamma is not used: it belongs to dataset.labels: stochastic"     },
      {"dataset.choice: random",                                        "1:17",
       "dataset.choice is not used: it belongs to a number of dataset.samples"   },
      {"train.momentum: 0.5",                                           "1:17",
       "train.momentum is not used: it belongs to train.optimizer: momentum"     },
      {"train.momentum: 0.5\nstudies: [{}, {train.optimizer: sgd}]",    "1:17",
       "train.momentum is not used: it belongs to train.optimizer: momentum"     },
      {"studies: [{train.momentum: 0.5}, {train.optimizer: momentum}]", "1:28",
       "train.momentum is not used: it belongs to train.optimizer: momentum"     },
 /* what cannot be read could have been what uses the other: say one thing */
      {"dataset: {labels: stochastc, gamma: 3}",                        "1:19",
       "dataset.labels: \"stochastc\" is not one of: deterministic stochastic shuffled. Did "
       "you "
       "mean \"stochastic\"?"                                                    },
  };

  (void)state;
  for (size_t i = 0; i < COUNT(bad); i++) refused_once(bad[i].text, bad[i].place, bad[i].error);
}

static void entries(void **state)
{
  static const struct {
    const char *text, *place, *error;
  } bad[] = {
      {"estimate: []",                                "1:11", "estimate: wants a list of entries, as in [{kind: binning}]"},
      {"estimate: {kind: kde}",                       "1:11",
       "estimate: wants a list of entries, as in [{kind: binning}]"                                                       },
      {"estimate: [kde]",                             "1:12",
       "estimate: an entry names an estimator, as in {kind: binning}"                                                     },
      {"estimate: [{bins: 3}]",                       "1:12",
       "estimate: an entry without its kind, as in {kind: binning}"                                                       },
      {"estimate: [{kind: binnin}]",                  "1:19",
       "estimate: kind: \"binnin\" is not one of: binning kde. Did you mean \"binning\"?"                                 },
      {"estimate: [{kind: kde, kind: kde}]",          "1:24", "estimate: kind is given twice"                             },
      {"estimate: [{kind: kde, on: test, on: test}]", "1:34",
       "estimate: on is given twice in one entry"                                                                         },
      {"estimate: [{kind: kde, on: tset}]",           "1:28",
       "estimate: on: \"tset\" is not one of: full train test. Did you mean \"test\"?"                                    },
      {"on: [full, ful]",                             "1:12",
       "on: \"ful\" is not one of: full train test. Did you mean \"full\"?"                                               },
  };

  (void)state;
  for (size_t i = 0; i < COUNT(bad); i++) refused_once(bad[i].text, bad[i].place, bad[i].error);
}

/* An unbounded activation has no range to bin: told at the entry, or where the default list
   meets the activation. */
static void unbounded(void **state)
{
  static const char entry[] = "network.activation: [tanh, relu]\nestimate: [{kind: binning}]",
                    implied[] = "network.activation: [tanh, relu]";
  ip_options *options = NULL;

  (void)state;
  FAILS(ip_options_read("my.yaml", entry, strlen(entry), 0, NULL, &options), IP_ERR_CONFIG,
        "my.yaml:2:12: error: estimate: range");
  FAILS(ip_options_read("my.yaml", implied, strlen(implied), 0, NULL, &options), IP_ERR_CONFIG,
        "my.yaml:1:21: error: estimate: range");
  FAILS(ip_options_read("my.yaml", "studies: [{}]", 13, 1,
                        (const char *const[]){"network.activation=relu"}, &options),
        IP_ERR_CONFIG, "argument 1: error: estimate: range");
}

/* More errors than anybody reads: the number is told, and the last line always. */
static void very_many(void **state)
{
  char text[4096] = "";
  ip_options *options = NULL;

  (void)state;
  for (int i = 0; i < 150; i++) sprintf(text + strlen(text), "k%d: 1\n", i);
  FAILS(ip_options_read("my.yaml", text, strlen(text), 0, NULL, &options), IP_ERR_CONFIG,
        "my.yaml:99:1: error");
  FAILS(ip_options_read("my.yaml", text, strlen(text), 0, NULL, &options), IP_ERR_CONFIG,
        "At least 100 errors, nothing was started.");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_at_once), cmocka_unit_test(unknown_keys),
      cmocka_unit_test(arguments),   cmocka_unit_test(together),
      cmocka_unit_test(entries),     cmocka_unit_test(unbounded),
      cmocka_unit_test(very_many),
  };

  return RUN_TESTS(tests);
}
