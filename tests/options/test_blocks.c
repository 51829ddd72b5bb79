/* Blocks: what overrides what, grids, columns, and the way back to text. */

#include "reading.h"
#include <infoplane/estimator.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int64_t whole(const ip_options *options, size_t block, ip_key key)
{
  const ip_value *v = ip_options_value(options, block, key);

  assert_non_null(v);
  return v->integer;
}

static void alone(void **state)
{
  static const char *const empty[] = {"", "# nothing\n", "---\n", "{}"};

  (void)state;
  for (size_t i = 0; i < COUNT(empty); i++) {
    ip_options *options = reading(empty[i], NULL, NULL);

    assert_string_equal(options->origin, "my.yaml");
    assert_int_equal(options->n_blocks, 1);
    assert_string_equal(options->block[0].name, "main");
    for (size_t key = 0; key < IP_KEYS; key++) {
      assert_int_equal(options->block[0].key[key].n, ip_option_row(key)->initial != NULL);
      assert_false(options->block[0].key[key].given);
    }
    assert_int_equal(whole(options, 0, IP_KEY_TRAIN_EPOCHS), 10000);
    assert_int_equal(options->block[0].n_columns, 3); /* bin30, kde upper and lower */
    ip_options_destroy(&options);
  }
}

/* default < outside the blocks < block < command line */
static void order_of_sheets(void **state)
{
  static const char text[] = "studies:\n"
                             "  - {name: a, train.batch: 1, repeat: 4}\n"
                             "  - train: {batch: 2, epochs: 3}\n"
                             "    seed: 6\n"
                             "train: {batch: 7, epochs: 8}\n";
  ip_options *options = reading(text, "seed=9", NULL);
  const ip_block *a = &options->block[0], *b = &options->block[1];

  (void)state;
  assert_int_equal(options->n_blocks, 2);
  assert_string_equal(a->name, "a");
  assert_string_equal(b->name, "study2");
  assert_int_equal(whole(options, 0, IP_KEY_TRAIN_BATCH), 1);
  assert_int_equal(whole(options, 1, IP_KEY_TRAIN_BATCH), 2);
  assert_int_equal(whole(options, 0, IP_KEY_TRAIN_EPOCHS), 8);
  assert_int_equal(whole(options, 1, IP_KEY_TRAIN_EPOCHS), 3);
  assert_int_equal(whole(options, 0, IP_KEY_REPEAT), 4);
  assert_int_equal(whole(options, 1, IP_KEY_REPEAT), 1);
  assert_int_equal(whole(options, 0, IP_KEY_SEED), 9);
  assert_int_equal(whole(options, 1, IP_KEY_SEED), 9);

  assert_int_equal(a->key[IP_KEY_TRAIN_EPOCHS].origin, IP_ORIGIN_FILE);
  assert_int_equal(a->key[IP_KEY_TRAIN_EPOCHS].line, 5);
  assert_int_equal(a->key[IP_KEY_TRAIN_EPOCHS].column, 27);
  assert_int_equal(b->key[IP_KEY_TRAIN_BATCH].line, 3);
  assert_int_equal(b->key[IP_KEY_SEED].origin, IP_ORIGIN_COMMAND_LINE);
  assert_int_equal(b->key[IP_KEY_SEED].line, 1);
  assert_int_equal(b->key[IP_KEY_SEED].column, 0);
  assert_int_equal(b->key[IP_KEY_REPEAT].origin, IP_ORIGIN_DEFAULT);
  ip_options_destroy(&options);
}

/* Of epochs and updates the one said later counts. */
static void epochs_or_updates(void **state)
{
  ip_options *options =
      reading("train.epochs: 5\nstudies: [{train.updates: 7}, {}]", NULL, NULL);

  (void)state;
  assert_int_equal(whole(options, 0, IP_KEY_TRAIN_UPDATES), 7);
  assert_false(options->block[0].key[IP_KEY_TRAIN_EPOCHS].given);
  assert_null(ip_options_value(options, 1, IP_KEY_TRAIN_UPDATES));
  assert_int_equal(whole(options, 1, IP_KEY_TRAIN_EPOCHS), 5);
  ip_options_destroy(&options);
  options = reading("train.updates: 5", "train.epochs=2", NULL);
  assert_null(ip_options_value(options, 0, IP_KEY_TRAIN_UPDATES));
  assert_int_equal(whole(options, 0, IP_KEY_TRAIN_EPOCHS), 2);
  ip_options_destroy(&options);
}

/* What a block inherits but does not use is no mistake, and is not there. */
static void unused_is_forgotten(void **state)
{
  ip_options *options =
      reading("dataset.path: a.mat\nstudies: [{dataset.name: mat}, {}]", NULL, NULL);

  (void)state;
  assert_string_equal(ip_options_value(options, 0, IP_KEY_DATASET_PATH)->string, "a.mat");
  assert_null(ip_options_value(options, 1, IP_KEY_DATASET_PATH));
  ip_options_destroy(&options);
}

static void grids(void **state)
{
  ip_options *options =
      reading("train: {fraction: [5%, 45%, 85%], batch: [full, 64]}", "seed=[1, 2]", NULL);
  const ip_values *key = options->block[0].key;

  (void)state;
  assert_int_equal(key[IP_KEY_TRAIN_FRACTION].n, 3);
  assert_true(key[IP_KEY_TRAIN_FRACTION].value[1].real == 0.45);
  assert_int_equal(key[IP_KEY_TRAIN_BATCH].n, 2);
  assert_int_equal(key[IP_KEY_TRAIN_BATCH].value[0].word, IP_BATCH_FULL);
  assert_int_equal(key[IP_KEY_TRAIN_BATCH].value[1].word, -1);
  assert_int_equal(key[IP_KEY_TRAIN_BATCH].value[1].integer, 64);
  assert_int_equal(key[IP_KEY_SEED].n, 2);
  ip_options_destroy(&options);
}

static void has_columns(const char *text, size_t n, const char *const want[])
{
  ip_options *options = reading(text, NULL, NULL);
  const ip_block *block = &options->block[options->n_blocks - 1];

  for (size_t c = 0; c < n && c < block->n_columns; c++)
    assert_string_equal(block->column[c].name, want[c]);
  assert_int_equal(block->n_columns, n);
  ip_options_destroy(&options);
}

#define COLUMNS(text, ...)                                                                     \
  has_columns((text), COUNT(((const char *const[]){__VA_ARGS__})),                             \
              (const char *const[]){__VA_ARGS__})

/* Names as design and papers use them; lists multiply, `on` fastest. */
static void columns(void **state)
{
  (void)state;
  COLUMNS("", "bin30", "kde_upper_0.001", "kde_lower_0.001");
  COLUMNS("estimate: [{kind: binning, bins: [30, 8], on: [full, test]}]", "bin30", "bin30_test",
          "bin8", "bin8_test");
  COLUMNS("on: [train, full]\nestimate: [{kind: binning}, {kind: binning, on: full}]",
          "bin30_train", "bin30");
  COLUMNS("estimate: [{kind: binning, range: [activation, [-2, 2]]}]", "bin30", "bin30_-2_2");
  COLUMNS("estimate: [{kind: binning, range: [-2, 2]}]", "bin30_-2_2");
  COLUMNS("estimate: [{kind: binning, width: [0.07, 0.5]}]", "bin_w0.07", "bin_w0.5");
  COLUMNS("estimate: [{kind: kde, bound: upper, noise_variance: [1e-3, 10%]}]",
          "kde_upper_0.001", "kde_upper_0.1");
  /* said twice, once in full: measured once */
  COLUMNS("estimate: [{kind: binning}, {kind: binning, bins: 30, rule: plain}]", "bin30");
  COLUMNS("studies: [{}, {estimate: [{kind: binning, bins: 5}]}]", "bin5");
}

/* The tolerance of all entries, of one, and the two defaults, which must agree. */
static void tolerances(void **state)
{
  enum { TOLERANCE = 3 };
  ip_options *options =
                 reading("kde_tolerance: 0\nestimate: [{kind: kde, bound: upper}, {kind: kde, "
                         "bound: lower, kde_tolerance: 1e-4}]",
                         NULL, NULL),
             *none = reading("", NULL, NULL);
  const ip_block *block = options->block;
  ip_column standard;

  (void)state;
  assert_string_equal(block->column[0].estimator->parameter[TOLERANCE].key, "kde_tolerance");
  assert_true(block->column[0].value[TOLERANCE].real == 0.0);
  assert_true(block->column[1].value[TOLERANCE].real == 1e-4);
  OK(ip_column_default(block->column[0].estimator, &standard));
  assert_true(none->block->column[1].value[TOLERANCE].real == 1e-6 &&
              standard.value[TOLERANCE].real == 1e-6);
  ip_options_destroy(&options);
  ip_options_destroy(&none);
}

static void columns_of_the_command_line(void **state)
{
  ip_options *options = reading("studies: [{estimate: [{kind: kde}]}, {}]",
                                "estimate=[{kind: binning, bins: [8, 30]}]", NULL);

  (void)state;
  for (size_t b = 0; b < 2; b++) {
    const ip_block *block = &options->block[b];

    assert_int_equal(block->n_columns, 2);
    assert_string_equal(block->column[0].estimator->name, "binning");
    assert_string_equal(block->column[0].name, "bin8");
    assert_int_equal(block->column[0].on, IP_ON_FULL);
  }
  ip_options_destroy(&options);
}

/* ---- back to text ---------------------------------------------------------------------------- */

static void config_reads_back(void **state)
{
  static const char *const text[] = {
      "",
      "train.updates: 500\nseed: 9007199254740993",
      "train: {fraction: [5%, 7%, 85%], learning_rate: 0.1, batch: [full, 3], optimizer: [sgd, "
      "momentum], momentum: 0.95}",
      "dataset: {labels: [stochastic, shuffled], gamma: [10, 54.492], samples: 100, choice: "
      "random}\nnetwork.hidden: [[], [3], [10, 1000]]",
      "dataset: {name: [mat, idx], path: [\"a \\\" b: #\\\\\", 'no', \"\xc3\xa9\"], "
      "labels_path: "
      "~x}",
      "look: [0, 10, 100]\non: [test, train]\nsave.weights: no\nrepeat: 3\nname: \"a: b\"",
      "estimate: [{kind: binning, width: 0.07}, {kind: binning, range: [[-1, 1.5], run]}, "
      "{kind: "
      "kde}]\nmax_time: 3\nreproducible: yes",
      "train.momentum: 0.5\nstudies: [{train.optimizer: momentum}, {repeat: 2, name: b}]",
      "network.activation: relu\nestimate: [{kind: binning, range: snapshot}]",
  };

  (void)state;
  for (size_t i = 0; i < COUNT(text); i++) {
    ip_options *options = reading(text[i], NULL, NULL), *again;
    ip_text first = {0}, second = {0}, origins = {0}, words = {0};

    OK(ip_options_config(options, &first));
    OK(ip_options_provenance(options, &origins));
    again = reading(first.text, NULL, NULL);
    OK(ip_options_config(again, &second));
    assert_string_equal(first.text, second.text);
    ip_options_destroy(&again);

    again = reading(origins.text, NULL, NULL);
    ip_text_clear(&second);
    OK(ip_options_config(again, &second));
    assert_string_equal(first.text, second.text);
    OK(ip_options_difference(first.text, second.text, &words));
    assert_int_equal(words.length, 0);
    ip_options_destroy(&again);
    ip_options_destroy(&options);
    ip_text_clear(&first), ip_text_clear(&second), ip_text_clear(&origins);
  }
}

static void provenance(void **state)
{
  ip_options *options = reading("train.batch: 64\nmax_time: 5\n", "repeat=2", NULL);
  ip_text yaml = {0};

  (void)state;
  OK(ip_options_provenance(options, &yaml));
  assert_non_null(strstr(yaml.text, "\n    train.batch: 64  # my.yaml:1:14\n"));
  assert_non_null(strstr(yaml.text, "\n    repeat: 2  # argument 1\n"));
  assert_non_null(strstr(yaml.text, "\n    train.epochs: 10000  # default\n"));
  assert_non_null(strstr(yaml.text, "\nmax_time: 5  # my.yaml:2:11\n"));
  ip_text_clear(&yaml);
  OK(ip_options_config(options, &yaml));
  assert_null(strstr(yaml.text, "max_time"));
  assert_null(strstr(yaml.text, "reproducible"));
  assert_null(strstr(yaml.text, "dataset.gamma")); /* nothing uses it */
  ip_text_clear(&yaml);
  ip_options_destroy(&options);
}

static void differs(const char *file, const char *input, const char *want)
{
  ip_options *a = reading(file, NULL, NULL), *b = reading(input, NULL, NULL);
  ip_text in_file = {0}, in_input = {0}, words = {0};

  OK(ip_options_config(a, &in_file));
  OK(ip_options_config(b, &in_input));
  OK(ip_options_difference(in_file.text, in_input.text, &words));
  assert_string_equal(words.text, want);
  ip_text_clear(&in_file), ip_text_clear(&in_input), ip_text_clear(&words);
  ip_options_destroy(&a), ip_options_destroy(&b);
}

static void differences(void **state)
{
  ip_text words = {0};

  (void)state;
  differs("train.learning_rate: 4e-4", "train.learning_rate: 1e-3",
          "study main: train.learning_rate: the file has 0.0004, the input says 0.001\n");
  differs("train.updates: 3", "",
          "study main: train.updates: the file has 3, the input nothing\n"
          "study main: train.epochs: the file has nothing, the input says 10000\n");
  differs("studies: [{name: a}, {name: b}]", "studies: [{name: a, seed: 2}, {name: c}]",
          "study a: seed: the file has 1, the input says 2\n"
          "study b: the file has it, the input does not\n"
          "study c: the input has it, the file does not\n");
  differs("studies: [{name: a}, {name: b}]", "studies: [{name: b}, {name: a}]",
          "the same blocks stand in another order\n");
  differs("estimate: [{kind: binning, width: 0.5}]",
          "estimate: [{kind: binning, width: 0.5}, {kind: binning, width: 0.25}]",
          "study main: estimate: only the input has {kind: binning, width: 0.25, on: full}\n");
  OK(ip_options_difference("garbage\n  - name: \"\n    a\n    :", "\n", &words)); /* any text */
  ip_text_clear(&words);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(alone),
      cmocka_unit_test(order_of_sheets),
      cmocka_unit_test(epochs_or_updates),
      cmocka_unit_test(unused_is_forgotten),
      cmocka_unit_test(grids),
      cmocka_unit_test(columns),
      cmocka_unit_test(tolerances),
      cmocka_unit_test(columns_of_the_command_line),
      cmocka_unit_test(config_reads_back),
      cmocka_unit_test(provenance),
      cmocka_unit_test(differences),
  };

  return RUN_TESTS(tests);
}
