/* Claims: sides of a margin, columns together, groups that may be compared, tables as text. */

#include "check.h"
#include "claims.h"
#include <stdlib.h>

/* ---- the table --------------------------------------------------------------------------- */

static const claim *find(const char *id)
{
  for (size_t i = 0; claim_row(i); i++)
    if (strcmp(claim_row(i)->id, id) == 0) return claim_row(i);
  fail_msg("no claim %s", id);
  return NULL;
}

static void every_row_is_whole(void **state)
{
  size_t n = 0;

  (void)state;
  for (; claim_row(n); n++) {
    const claim *c = claim_row(n);
    const bool computed = c->how != SHOWN && c->how != NETWORKS;

    assert_true(c->number && c->who && c->unit && c->reason && c->definition);
    assert_true(c->sentence && strlen(c->sentence) < 96); /* a line of print with its number */
    assert_true(!computed || c->f);
    assert_true((c->how == RANKS) == (c->g != NULL));
    for (size_t i = 0; i < n; i++) assert_string_not_equal(claim_row(i)->id, c->id);
  }
  assert_int_equal(n, 23);
}

static void sides_of_a_margin(void **state)
{
  const claim *least = find("compression"), *most = find("compression_keeps_label");
  const interval above = {9, 0.4, 0.25, 0.5}, across = {9, 0.2, 0.05, 0.3},
                 below = {9, 0.01, -1, 0.05}, none = {9, NAN, NAN, NAN};

  (void)state;
  NEAR(least->margin, 0.25, 0, "margin of compression");
  NEAR(most->margin, 0.05, 0, "margin of what is lost");
  assert_int_equal(claim_judge(least, &above), AGREES);
  assert_int_equal(claim_judge(least, &across), UNDECIDED);
  assert_int_equal(claim_judge(least, &below), DISAGREES);
  assert_int_equal(claim_judge(most, &above), DISAGREES);
  assert_int_equal(claim_judge(most, &across), UNDECIDED); /* the margin itself is allowed */
  assert_int_equal(claim_judge(most, &below), AGREES);
  assert_int_equal(claim_judge(most, &none), NOT_TESTED);
}

static void expect_common(const char *verdicts, verdict want, bool want_depends)
{
  static const char letter[] = "adu-";
  finding f[8] = {0};
  bool depends;
  const size_t n = strlen(verdicts);

  for (size_t i = 0; i < n; i++) f[i].verdict = (verdict)(strchr(letter, verdicts[i]) - letter);
  assert_int_equal(claims_common(n, f, &depends), want);
  assert_int_equal(depends, want_depends);
}

static void columns_together(void **state)
{
  (void)state;
  expect_common("aaa", AGREES, false);
  expect_common("a-a", AGREES, false);
  expect_common("dd-", DISAGREES, false);
  expect_common("aua", UNDECIDED, false);
  expect_common("uud", UNDECIDED, false);
  expect_common("u", UNDECIDED, false);
  expect_common("ad", UNDECIDED, true);
  expect_common("uad-", UNDECIDED, true);
  expect_common("--", NOT_TESTED, false);
}

/* ---- groups that may be compared --------------------------------------------------------- */

enum { BATCH, SIZE, DECAY, EPOCHS, RATE, KEYS };

/* A study made by hand: n groups of networks with one hidden layer. */
typedef struct {
  sweep s;
  sweep_study study;
  sweep_key key[KEYS];
  sweep_group group[4];
  bool varies[KEYS];
  double value[4][KEYS], updates[4];
  int32_t width[2];
} made;

static void make(made *m, size_t n, const double value[][KEYS], const double updates[])
{
  static char name[KEYS][16] = {"batch_size", "train_fraction", "weight_decay", "epochs",
                                "learning_rate"};

  *m = (made){
      .s = {.n_keys = KEYS, .key = m->key},
        .width = {3,              2            }
  };
  m->study = (sweep_study){.n = n, .group = m->group, .varies = m->varies};
  for (size_t k = 0; k < KEYS; k++) {
    m->key[k].name = name[k];
    for (size_t i = 1; i < n; i++) m->varies[k] = m->varies[k] || value[i][k] != value[0][k];
  }
  for (size_t i = 0; i < n; i++) {
    memcpy(m->value[i], value[i], sizeof m->value[i]);
    m->updates[i] = updates[i];
    m->group[i] = (sweep_group){.key = m->value[i],
                                .n = 3,
                                .train_size = (size_t)(1000 * value[i][SIZE]),
                                .batch = (size_t)value[i][BATCH],
                                .layers = 2,
                                .width = m->width,
                                .n_looks = 1,
                                .updates = &m->updates[i]};
  }
}

/* The only pair of the key is (a, b), or there is none for a = b. */
static void expect_pair(made *m, contrast_key key, size_t a, size_t b, const char *setting,
                        const char *compared)
{
  size_t n = 9;
  contrast *pair = NULL;

  OK(contrast_find(&m->s, &m->study, key, &n, &pair));
  assert_int_equal(n, a == b ? 0 : 1);
  if (n == 1) {
    assert_int_equal(pair[0].a, a);
    assert_int_equal(pair[0].b, b);
    assert_string_equal(pair[0].setting.text, setting);
    assert_string_equal(pair[0].compared.text, compared);
  }
  contrast_clear(n, &pair);
  assert_null(pair);
}

static bool equal_clock(made *m, contrast_key key)
{
  size_t n = 0;
  contrast *pair = NULL;

  OK(contrast_find(&m->s, &m->study, key, &n, &pair));
  assert_int_equal(n, 1);
  const bool equal = pair[0].equal_clock;

  contrast_clear(n, &pair);
  return equal;
}

/* Smallest batch against full; 1000 updates were asked for: epochs differ and are no
   difference. */
static void batches_at_equal_updates(void **state)
{
  const double value[][KEYS] = {
      {100, 0.5, 0, 200,  0.1},
      {500, 0.5, 0, 1000, 0.1},
      {20,  0.5, 0, 40,   0.1}
  };
  const double updates[] = {1000, 1000, 1000}, late[] = {1000, 1000, 1024},
               later[] = {1000, 1000, 1025};
  made m;

  (void)state;
  make(&m, 3, value, updates);
  expect_pair(&m, BY_BATCH, 2, 1, "", "batch 20 - full batch");
  make(&m, 3, value, late); /* an epoch has 25 updates */
  expect_pair(&m, BY_BATCH, 2, 1, "", "batch 20 - full batch");
  make(&m, 3, value, later); /* another clock and other epochs: two differences */
  expect_pair(&m, BY_BATCH, 0, 1, "", "batch 100 - full batch");
  make(&m, 3, value, updates);
  m.group[2].n = 0; /* no finished run */
  expect_pair(&m, BY_BATCH, 0, 1, "", "batch 100 - full batch");
  m.group[1].n = 0; /* no full batch */
  expect_pair(&m, BY_BATCH, 0, 0, "", "");
}

static void batches_at_equal_epochs(void **state)
{
  const double value[][KEYS] = {
      {100, 0.5, 0, 10, 0.1},
      {500, 0.5, 0, 10, 0.1}
  };
  const double updates[] = {50, 10}, equal[] = {50, 50};
  made m;

  (void)state;
  make(&m, 2, value, updates);
  expect_pair(&m, BY_BATCH, 0, 1, "", "batch 100 - full batch");
  assert_false(equal_clock(&m, BY_BATCH));
  make(&m, 2, value, equal);
  assert_true(equal_clock(&m, BY_BATCH));
}

/* A batch of 100 is all of 50 patterns: the smallest size is a partner of both largest ones. */
static void sizes_share_their_batch(void **state)
{
  const double value[][KEYS] = {
      {50,  0.05, 0, 10, 0.1},
      {100, 0.5,  0, 10, 0.1},
      {500, 0.5,  0, 10, 0.1},
      {20,  0.5,  0, 10, 0.1}
  };
  const double updates[] = {10, 50, 10, 250};
  size_t n = 0;
  contrast *pair = NULL;
  made m;

  (void)state;
  make(&m, 4, value, updates);
  OK(contrast_find(&m.s, &m.study, BY_SIZE, &n, &pair));
  assert_int_equal(n, 2); /* not with the batch of 20, which 50 patterns could have had */
  assert_string_equal(pair[0].setting.text, "batch 100");
  assert_string_equal(pair[1].setting.text, "full batch");
  assert_string_equal(pair[0].compared.text, "5 % - 50 %");
  assert_int_equal(pair[0].b, 1);
  assert_int_equal(pair[1].b, 2);
  contrast_clear(n, &pair);
}

static void decay_from_zero(void **state)
{
  const double value[][KEYS] = {
      {100, 0.5, 0,    10, 0.1},
      {100, 0.5, 1e-3, 10, 0.1},
      {100, 0.5, 1e-2, 10, 0.1},
      {100, 0.5, 1e-1, 10, 0.2}
  };
  const double updates[] = {50, 50, 50, 50};
  made m;

  (void)state;
  make(&m, 4, value, updates); /* the last differs in its learning rate too */
  expect_pair(&m, BY_DECAY, 2, 0, "lr 0.1", "decay 0.01 - decay 0");
  make(&m, 3, value + 1, updates); /* nothing without decay */
  expect_pair(&m, BY_DECAY, 0, 0, "", "");
}

/* ---- weights, text ----------------------------------------------------------------------- */

/* Acceptance: mean |r| x sqrt(N) of independent Gaussian weights. */
static void expected_correlation(void **state)
{
  (void)state;
  NEAR(weights_expected(3) * sqrt(3), 1.103, 5e-4, "3 inputs");
  NEAR(weights_expected(5) * sqrt(5), 0.949, 5e-4, "5 inputs");
  NEAR(weights_expected(10) * sqrt(10), 0.865, 5e-4, "10 inputs");
  NEAR(weights_expected(2), 1, 0, "2 inputs: r is 1 or -1");
  NEAR(weights_expected(10000) * sqrt(10000), sqrt(2 / acos(-1.0)), 1e-4, "many inputs");
  assert_true(isnan(weights_expected(1)) && isnan(weights_expected(0)));
}

static void quoting(void **state)
{
  const interval value = {3, 0.1, -INFINITY, NAN};
  csv table = {0};

  (void)state;
  OK(csv_header(&table, "a,b,c"));
  csv_text(&table, "plain; text");
  csv_text(&table, "a, \"b\"\n");
  csv_text(&table, "");
  csv_number(&table, 1.0 / 3.0);
  csv_number(&table, 123456789.0);
  csv_count(&table, 7);
  csv_interval(&table, &value);
  OK(csv_end(&table));
  csv_text(&table, "=");
  OK(csv_end(&table));
  assert_string_equal(
      table.text.text,
      "a,b,c\nplain; text,\"a, \"\"b\"\"\n\",,0.333333333,123456789,7,0.1,-inf,\n=\n");
  assert_int_equal(table.rows, 3);
  csv_clear(&table);
  assert_null(table.text.text);
}

static void expect_wrapped(int indent, const char *text, const char *want)
{
  char *have = NULL;
  size_t length = 0;
  FILE *to = open_memstream(&have, &length);

  assert_non_null(to);
  claims_wrap(to, indent, text);
  fclose(to);
  assert_string_equal(have, want);
  free(have);
}

/* Lines of at most 100 columns: one of 97 letters has room for two more only without indent. */
static void wrapping(void **state)
{
  char x[98] = "", text[128], want[128];

  (void)state;
  expect_wrapped(2, "a b", "  a b\n");
  expect_wrapped(1, "", " \n");
  memset(x, 'x', 97);
  snprintf(text, sizeof text, "%s bb c", x);
  snprintf(want, sizeof want, "%s bb\nc\n", x);
  expect_wrapped(0, text, want);
  snprintf(want, sizeof want, " %s\n bb c\n", x);
  expect_wrapped(1, text, want);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_is_whole),
      cmocka_unit_test(sides_of_a_margin),
      cmocka_unit_test(columns_together),
      cmocka_unit_test(batches_at_equal_updates),
      cmocka_unit_test(batches_at_equal_epochs),
      cmocka_unit_test(sizes_share_their_batch),
      cmocka_unit_test(decay_from_zero),
      cmocka_unit_test(expected_correlation),
      cmocka_unit_test(quoting),
      cmocka_unit_test(wrapping),
  };

  return RUN_TESTS(tests);
}
