/* A crew gives the bits of one alone, however many members it has and whatever their shares. */

#include "layers.h"

enum { MOST_GATHERS = 64, COLUMNS = 12 };

/* Members have their turns one after the other, assistants first: what they hand over is kept. */
typedef struct {
  size_t size, turn, gathers; /* members; whose turn it is, and how often it gathered */
  char *kept[MOST_GATHERS];
  size_t bytes[MOST_GATHERS];
  size_t made[IP_CREW]; /* items of each member */
  size_t between;
} play;

static PetscErrorCode gather(void *context, size_t bytes, const size_t begin[], void *item)
{
  play *p = context;
  const size_t g = p->gathers++, m = p->turn, all = begin[p->size] * bytes,
               at = begin[m] * bytes, mine = (begin[m + 1] - begin[m]) * bytes;

  assert_true(g < MOST_GATHERS && begin[0] == 0);
  if (!p->kept[g]) {
    p->bytes[g] = all;
    OK(ip_allocate_bytes(all + 1, 1, &p->kept[g]));
  }
  assert_int_equal(all, p->bytes[g]);
  p->made[m] += begin[m + 1] - begin[m];
  memcpy(p->kept[g] + at, (char *)item + at, mine);
  memset(item, 0x7f, all); /* of no use to an assistant; member 0 has what all have made */
  if (m == 0) memcpy(item, p->kept[g], all);
  return PETSC_SUCCESS;
}

static PetscErrorCode count(void *context)
{
  ((play *)context)->between++;
  return PETSC_SUCCESS;
}

static void estimate(const ip_layer *layer, size_t n, const ip_column *const column[],
                     const ip_crew *crew, ip_information out[])
{
  ip_workspace *work = NULL;

  OK(ip_workspace_create(&work));
  ip_workspace_join(work, crew);
  if (crew && crew->member > 0)
    OK(ip_estimate_assist(layer, n, column, work));
  else
    OK(ip_estimate(layer, n, column, work, out));
  ip_workspace_destroy(&work);
}

/* How many gathers there were. */
static size_t as_one_alone(const ip_layer *layer, size_t n, const ip_column *const column[],
                           size_t size, double lead)
{
  play p = {.size = size};
  ip_crew crew = {
      .size = size, .lead = lead, .context = &p, .gather = gather, .between = count};
  ip_information alone[COLUMNS], crewed[COLUMNS];
  size_t made = 0;

  memset(alone, 0, sizeof alone);
  memset(crewed, 0, sizeof crewed);
  estimate(layer, n, column, NULL, alone);
  for (p.turn = size; p.turn-- > 0;) {
    p.gathers = 0;
    crew.member = p.turn;
    estimate(layer, n, column, &crew, crewed);
    if (p.turn == 0) break;
  }
  for (size_t c = 0; c < n; c++) same_information(crewed[c], alone[c], 0, column[c]->name);
  for (size_t m = 0; m < size; m++) made += p.made[m];
  assert_int_equal(made, p.between); /* every item by one member, and once */
  for (size_t g = 0; g < p.gathers; g++) ip_release(&p.kept[g]);
  return p.gathers;
}

static void crews(const ip_layer *layer, size_t n, const ip_column *const column[])
{
  static const size_t size[] = {2, 3, 7};

  for (size_t s = 0; s < 3; s++) {
    as_one_alone(layer, n, column, size[s], 1.0 / (double)size[s]);
    as_one_alone(layer, n, column, size[s], 0.0);
    as_one_alone(layer, n, column, size[s], 0.7);
    as_one_alone(layer, n, column, size[s], 1.0);
  }
}

/* Both scales of noise, both bounds; two noises. */
static void pairs_are_shared(void **state)
{
  const ip_column made[4] = {kde("upper", 1e-3, NULL), kde("lower", 1e-3, NULL),
                             kde("upper", 0.1, "layer"), kde("lower", 0.1, "layer")};
  const ip_column *const column[4] = {&made[0], &made[1], &made[2], &made[3]};

  (void)state;
  for (uint32_t r = 0; r < 3; r++) {
    made_layer layer = layer_random(1500 + 7 * r, 2 + 40 * r, 3, r); /* narrow and wide */

    crews(&layer.view, 4, column);
    layer_doubt(&layer);
    crews(&layer.view, 4, column);
    layer_free(&layer);
  }
}

/* Fewer blocks than members; a single sample. */
static void little_to_share(void **state)
{
  const ip_column made = kde("upper", 0.1, NULL), *const column[1] = {&made};
  made_layer few = layer_random(40, 3, 2, 5), one = layer_random(1, 3, 2, 5);

  (void)state;
  crews(&few.view, 1, column);
  crews(&one.view, 1, column);
  layer_free(&few), layer_free(&one);
}

/* More noises than one pass takes, and more sums than are kept at once. */
static void many_gathers(void **state)
{
  ip_column made[COLUMNS];
  const ip_column *column[COLUMNS];
  made_layer layer = layer_random(2400, 3, 9, 2);

  (void)state;
  for (int c = 0; c < COLUMNS; c++) {
    made[c] = kde("upper", 1e-3 * (1 + c), NULL);
    column[c] = &made[c];
  }
  layer_doubt(&layer);
  assert_true(as_one_alone(&layer.view, COLUMNS, column, 3, 0.3) > 2);
  layer_free(&layer);
}

/* Bins are not shared: an assistant has nothing to do, member 0 does it all. */
static void bins_are_not(void **state)
{
  const ip_column made = binning(30), *const column[1] = {&made};
  made_layer layer = layer_random(300, 3, 2, 5);

  (void)state;
  assert_int_equal(as_one_alone(&layer.view, 1, column, 3, 0.3), 0);
  layer_free(&layer);
}

/* Nobody's share, whatever the costs, is far from what was asked for. */
static void shares(void **state)
{
  enum { N = 1000 };
  double cost[N];
  size_t begin[IP_CREW + 1];

  (void)state;
  for (size_t i = 0; i < N; i++) cost[i] = 1 + (double)(i % 7);
  for (size_t size = 1; size <= IP_CREW; size *= 2) {
    const ip_crew crew = {.size = size, .lead = size > 1 ? 0.25 / (double)size : 1.0};

    ip_crew_share(&crew, N, cost, begin);
    assert_int_equal(begin[0], 0);
    assert_int_equal(begin[size], N);
    for (size_t m = 0; m < size; m++) {
      const double share = m == 0 ? crew.lead : (1 - crew.lead) / (double)(size - 1);
      double sum = 0;

      assert_true(begin[m] <= begin[m + 1]);
      for (size_t i = begin[m]; i < begin[m + 1]; i++) sum += cost[i];
      NEAR(sum, share * 3997, 7.0, "share of member %zu of %zu", m, size);
    }
  }
  ip_crew_share(&(ip_crew){.size = 4, .lead = 0.25}, 0, cost, begin);
  for (size_t m = 0; m <= 4; m++) assert_int_equal(begin[m], 0);
}

static PetscErrorCode enough(void *context)
{
  (void)context;
  IP_CHECK(false, IP_ERR_STOPPED, "enough");
  return PETSC_SUCCESS;
}

/* Who is told to leave off does. */
static void an_assistant_leaves_off(void **state)
{
  const ip_column made = kde("upper", 0.1, NULL), *const column[1] = {&made};
  const ip_crew crew = {.member = 1, .size = 2, .lead = 0.5, .between = enough};
  made_layer layer = layer_random(600, 3, 2, 5);
  ip_workspace *work = NULL;

  (void)state;
  OK(ip_workspace_create(&work));
  ip_workspace_join(work, &crew);
  FAILS(ip_estimate_assist(&layer.view, 1, column, work), IP_ERR_STOPPED, "enough");
  FAILS(ip_estimate_assist(&layer.view, 0, column, work), IP_ERR_INTERNAL, "no columns");
  ip_workspace_destroy(&work);
  layer_free(&layer);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pairs_are_shared), cmocka_unit_test(little_to_share),
      cmocka_unit_test(many_gathers),     cmocka_unit_test(bins_are_not),
      cmocka_unit_test(shares),           cmocka_unit_test(an_assistant_leaves_off),
  };

  return RUN_TESTS(tests);
}
