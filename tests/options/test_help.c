/* The table and the help made from it. */

#include "reading.h"
#include <infoplane/estimator.h>

static void rows_are_complete(void **state)
{
  (void)state;
  for (size_t key = 0; key < IP_KEYS; key++) {
    const ip_parameter *row = ip_option_row(key);
    const char first = row->sentence[0], last = row->sentence[strlen(row->sentence) - 1];

    assert_string_equal(row->key, ip_option_name(key));
    assert_int_equal(ip_names_find(ip_option_name, row->key), key);
    assert_non_null(row->unit);
    assert_true((first >= 'a' && first <= 'z') || !strncmp(row->sentence, "L2", 2));
    assert_true(last != '.');
    if (row->type == IP_CHOICE) assert_non_null(row->choice);
    if (row->type == IP_INTEGER || row->type == IP_REAL) assert_true(row->low < row->high);
    if (row->scope != IP_SCOPE_RUN) assert_null(row->coordinate);
  }
  assert_null(ip_option_row(IP_KEYS));
  assert_null(ip_option_name(IP_KEYS));
}

/* Every line of the help fits a terminal, and every word of a row is found in its topic. */
static void fits(const char *topic)
{
  ip_text text = {0};

  OK(ip_options_help(topic, &text));
  for (const char *line = text.text; *line;) {
    const size_t length = strcspn(line, "\n");

    if (length > 96) fail_msg("%s: %.*s", topic, (int)length, line);
    assert_true(length == 0 || line[length - 1] != ' ');
    assert_true(line[length] == '\n');
    line += length + 1;
  }
  ip_text_clear(&text);
}

static void topics(void **state)
{
  static const char *const topic[] = {"keys", "dataset",  "network", "train",
                                      "save", "estimate", "studies", "batch"};
  ip_text text = {0};

  (void)state;
  for (size_t i = 0; i < sizeof topic / sizeof topic[0]; i++) fits(topic[i]);
  for (size_t key = 0; key < IP_KEYS; key++) fits(ip_option_name(key));
  for (size_t i = 0; ip_estimator_name(i); i++) fits(ip_estimator_name(i));

  OK(ip_options_help("keys", &text));
  for (size_t key = 0; key < IP_KEYS; key++)
    assert_non_null(strstr(text.text, ip_option_name(key)));
  ip_text_clear(&text);
  OK(ip_options_help("train.batch", &text));
  assert_string_equal(
      text.text, "train.batch\n"
                 "  samples of a mini-batch; full is the whole training set\n"
                 "  takes       a whole number from 1 to 2147483647, or full; a list of them "
                 "spans an axis\n"
                 "  default     256\n"
                 "  scope       science: what a run is; compared when a file is continued\n"
                 "  in the file batch_size\n"
                 "  source      doi:10.1088/1742-5468/ab3985\n");
  ip_text_clear(&text);
}

static void unknown_topics(void **state)
{
  ip_text text = {0};

  (void)state;
  FAILS(ip_options_help("trian", &text), IP_ERR_USAGE,
        "no help on \"trian\". Did you mean \"train\"?");
  FAILS(ip_options_help("lerning_rate", &text), IP_ERR_USAGE,
        "Did you mean \"learning_rate\"?");
  FAILS(ip_options_help("xyzzyxyzzy", &text), IP_ERR_USAGE,
        "no help on \"xyzzyxyzzy\"; the topic \"keys\" lists all keys");
  assert_null(text.text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_complete),
      cmocka_unit_test(topics),
      cmocka_unit_test(unknown_topics),
  };

  return RUN_TESTS(tests);
}
