/* How long things take: a run is so many of each term of cost.def, each at a rate that is measured.

     seconds = sum over terms  count(run, term) x rate(term)

   Counts follow from the plan alone.  Rates are fitted to timings of known counts; what the model leaves
   out (caches, pages, other users of the machine) stays in the error of the fit. */

#include "order.h"
#include <math.h>
#include <string.h>

enum { WIDE = 128 }; /* both widths: OpenBLAS multiplies, if asked */
static const double worth_sharing =
    5e7; /* elementary operations of a look, some milliseconds */

/* ---- what is counted --------------------------------------------------------------------------- */

/* A run with what all counts need. */
typedef struct {
  const ip_plan *plan;
  const ip_run *run;
  const ip_architecture *a;
  const ip_measure *measure;
  double n, train;          /* patterns; of these to train       */
  double steps, looked_at;  /* batches of an epoch; of the gradients of a look */
  double parameters, units; /* units: of all layers, the input too */
  double record;            /* bytes */
  bool twice;               /* some column needs a second pass over the looks */
} shape;

static size_t record_bytes(const ip_plan *plan)
{
  size_t bytes = 0;

  for (size_t f = 0; f < IP_FIELDS; f++)
    bytes += ip_field_length(plan, f) * ip_number_size(ip_field_row(f)->type);
  return bytes;
}

static const ip_column *column_of(const shape *s, size_t c)
{
  return &s->plan->column[s->measure->column[c]];
}

static shape shape_of(const ip_plan *plan, size_t run)
{
  const ip_run *r = &plan->run[run];
  shape s = {.plan = plan,
             .run = r,
             .a = &plan->architecture[r->architecture],
             .measure = &plan->measure[r->measure],
             .n = (double)plan->data->set[r->data]->n,
             .train = r->train_size,
             .parameters = (double)ip_run_parameters(plan, run),
             .record = (double)record_bytes(plan)};
  const double batch = fmax(1.0, fmin((double)s.measure->gradient_batch, floor(s.train / 4.0)));

  s.steps = ceil(s.train / (double)r->batch);
  s.looked_at = floor(s.train / batch);
  for (size_t l = 0; l <= s.a->layers; l++) s.units += s.a->width[l];
  for (size_t c = 0; c < s.measure->n_columns; c++) {
    const ip_column *column = column_of(&s, c);

    s.twice = s.twice || column->estimator->needs_run_range(column);
  }
  return s;
}

/* Patterns that a column measures. */
static double patterns(const shape *s, ip_on on)
{
  const double test = fmax(0.0, s->n - s->train);

  return on == IP_ON_FULL ? s->n : on == IP_ON_TRAIN ? s->train : test;
}

/* ---- training and the forward pass of a look ------------------------------------------------------ */

static double products(const shape *s, bool wide, bool training)
{
  const bool library = s->run->value[IP_KEY_NETWORK_BLAS]->word == IP_BLAS_OPENBLAS;
  double sum = 0.0;

  for (size_t l = 1; l <= s->a->layers; l++) {
    const double in = s->a->width[l - 1], out = s->a->width[l];
    const double passes =
        training ? (l == 1 ? 2.0 : 3.0) : 1.0; /* nothing goes back to the input */

    if (wide == (library && in >= WIDE && out >= WIDE)) sum += passes * in * out;
  }
  return sum;
}

/* Forward passes of all patterns for one look. */
static double forwards(const shape *s)
{
  return s->twice ? 2.0 : 1.0;
}

static double multiply(const shape *s, bool wide, ip_part part)
{
  const double training = s->train * products(s, wide, true);

  if (part == IP_PART_RUN) return 0.0;
  return part == IP_PART_EPOCH ? training
                               : training + forwards(s) * s->n * products(s, wide, false);
}

static double count_multiply_add(const shape *s, ip_part part)
{
  return multiply(s, false, part);
}

static double count_multiply_add_wide(const shape *s, ip_part part)
{
  return multiply(s, true, part);
}

static double count_value(const shape *s, ip_part part)
{
  if (part == IP_PART_RUN) return 0.0;
  return part == IP_PART_EPOCH ? s->train * s->units
                               : (2.0 * s->train + forwards(s) * s->n) * s->units;
}

/* The last layer's softmax or sigmoid, and the logarithm of its loss, are two. Of a sample. */
static double activations(const shape *s)
{
  const char *name = ip_activation_name((size_t)s->run->value[IP_KEY_NETWORK_ACTIVATION]->word);
  const bool cheap = strcmp(name, "relu") == 0 || strcmp(name, "linear") == 0;
  const double last = s->a->width[s->a->layers], hidden = s->units - s->a->width[0] - last;

  return (cheap ? 0.0 : hidden) + 2.0 * last;
}

static double count_activation(const shape *s, ip_part part)
{
  if (part == IP_PART_RUN) return 0.0;
  return activations(s) * (part == IP_PART_EPOCH ? s->train : s->train + forwards(s) * s->n);
}

static double count_sample(const shape *s, ip_part part)
{
  return part == IP_PART_LOOK ? s->n + s->train : 0.0;
}

static double count_step(const shape *s, ip_part part)
{
  if (part == IP_PART_RUN) return 0.0;
  return part == IP_PART_EPOCH ? s->steps : s->looked_at;
}

/* sgd reads the parameters, momentum and adam their moments too; a look's mean and spread. */
static double count_parameter(const shape *s, ip_part part)
{
  static const double arrays[] = {
      [IP_OPTIMIZER_SGD] = 1.0, [IP_OPTIMIZER_MOMENTUM] = 2.0, [IP_OPTIMIZER_ADAM] = 3.0};
  const double read = arrays[s->run->value[IP_KEY_TRAIN_OPTIMIZER]->word];

  if (part == IP_PART_RUN) return 0.0;
  return s->parameters *
         (part == IP_PART_EPOCH ? s->steps * read : s->looked_at * arrays[IP_OPTIMIZER_ADAM]);
}

static double count_correlation(const shape *s, ip_part part)
{
  double sum = 0.0;

  for (size_t l = 1; l <= s->a->layers; l++)
    sum += 0.5 * s->a->width[l] * (s->a->width[l] - 1.0) * s->a->width[l - 1];
  return part == IP_PART_LOOK ? sum : 0.0;
}

/* ---- estimators ----------------------------------------------------------------------------------- */

/* Columns that differ in their bound alone come out of the same exponentials. */
static bool same_noise(const ip_column *a, const ip_column *b)
{
  const ip_parameter *row = a->estimator->parameter;

  if (a->estimator != b->estimator || a->on != b->on) return false;
  for (size_t p = 0; row[p].key; p++)
    if (strcmp(row[p].key, "bound") != 0 &&
        !ip_value_equal(&row[p], &a->value[p], &b->value[p]))
      return false;
  return true;
}

/* An estimator that makes T discrete sorts samples into cells, any other compares pairs. */
static bool compares_pairs(const ip_column *column)
{
  return !column->estimator->cells;
}

static bool first_of_its_noise(const shape *s, size_t c)
{
  for (size_t i = 0; i < c; i++)
    if (same_noise(column_of(s, i), column_of(s, c))) return false;
  return true;
}

static bool first_of_its_patterns(const shape *s, size_t c)
{
  for (size_t i = 0; i < c; i++)
    if (compares_pairs(column_of(s, i)) && column_of(s, i)->on == column_of(s, c)->on)
      return false;
  return true;
}

static double count_kde_difference(const shape *s, ip_part part)
{
  const double units = s->units - s->a->width[0];
  double sum = 0.0;

  for (size_t c = 0; c < s->measure->n_columns && part == IP_PART_LOOK; c++) {
    const double m = patterns(s, column_of(s, c)->on);

    if (compares_pairs(column_of(s, c)) && first_of_its_patterns(s, c))
      sum += 0.5 * m * m * units;
  }
  return sum;
}

static double count_kde_exponential(const shape *s, ip_part part)
{
  double sum = 0.0;

  for (size_t c = 0; c < s->measure->n_columns && part == IP_PART_LOOK; c++) {
    const double m = patterns(s, column_of(s, c)->on);

    if (compares_pairs(column_of(s, c)) && first_of_its_noise(s, c))
      sum += 0.5 * m * m * (double)s->a->layers;
  }
  return sum;
}

/* Columns of one estimator and one set of patterns that assistants take a share of. */
static size_t shared_columns(const shape *s, const ip_estimator *e, ip_on on)
{
  size_t n = 0;

  for (size_t c = 0; c < s->measure->n_columns && e->assist; c++) {
    const ip_column *column = column_of(s, c);

    n += (size_t)(column->estimator == e && column->on == on && !e->needs_run_range(column));
  }
  return n;
}

bool ip_run_is_shared(const ip_plan *plan, size_t run)
{
  const shape s = shape_of(plan, run);
  const ip_estimator *e;
  double cost = 0.0;

  for (size_t i = 0; (e = ip_estimator_row(i)) != NULL; i++)
    for (ip_on on = IP_ON_FULL; on < IP_ONS; on++) {
      const size_t n = shared_columns(&s, e, on), m = (size_t)patterns(&s, on);

      for (size_t l = 1; n > 0 && l <= s.a->layers; l++)
        cost += e->cost(m, (size_t)s.a->width[l], n);
    }
  return cost >= worth_sharing;
}

/* Samples of all columns with cells. */
static double binned(const shape *s)
{
  double sum = 0.0;

  for (size_t c = 0; c < s->measure->n_columns; c++)
    if (!compares_pairs(column_of(s, c))) sum += patterns(s, column_of(s, c)->on);
  return sum;
}

static double count_bin(const shape *s, ip_part part)
{
  return part == IP_PART_LOOK ? binned(s) * (s->units - s->a->width[0]) : 0.0;
}

static double count_cell(const shape *s, ip_part part)
{
  return part == IP_PART_LOOK ? binned(s) * (double)s->a->layers : 0.0;
}

/* Of the last look. */
static double count_bottleneck(const shape *s, ip_part part)
{
  double sum = 0.0;

  if (part != IP_PART_RUN || !s->plan->data->set[s->run->data]->p) return 0.0;
  for (size_t c = 0; c < s->measure->n_columns; c++)
    if (!compares_pairs(column_of(s, c))) sum += (double)s->a->layers;
  return sum;
}

/* ---- the run, its record; and what no run has ------------------------------------------------------- */

static double count_run(const shape *s, ip_part part)
{
  (void)s;
  return part == IP_PART_RUN ? 1.0 : 0.0;
}

static double count_record(const shape *s, ip_part part)
{
  return count_run(s, part);
}

static double count_record_byte(const shape *s, ip_part part)
{
  return part == IP_PART_RUN ? s->record : 0.0;
}

static double count_launch(const shape *s, ip_part part)
{
  (void)s, (void)part;
  return 0.0;
}

static double count_file(const shape *s, ip_part part)
{
  return count_launch(s, part);
}

static double count_file_byte(const shape *s, ip_part part)
{
  return count_launch(s, part);
}

static double count_curve(const shape *s, ip_part part)
{
  return count_launch(s, part);
}

static double count_message(const shape *s, ip_part part)
{
  return count_launch(s, part);
}

static double count_handing(const shape *s, ip_part part)
{
  return count_launch(s, part);
}

/* ---- the table ------------------------------------------------------------------------------------ */

static const struct {
  const char *name, *sentence;
  double guess;
  double (*count)(const shape *s, ip_part part);
} table[] = {
#define IP_COST(id, seconds, sentence_) {#id, sentence_, seconds, count_##id},
#include <infoplane/cost.def>
#undef IP_COST
};

const char *ip_cost_name(size_t i)
{
  return i < IP_COSTS ? table[i].name : NULL;
}

const char *ip_cost_sentence(size_t i)
{
  return i < IP_COSTS ? table[i].sentence : NULL;
}

ip_rates ip_rates_default(void)
{
  ip_rates rates;

  for (size_t i = 0; i < IP_COSTS; i++) rates.second[i] = table[i].guess;
  return rates;
}

double ip_cost_curves(const ip_plan *plan)
{
  double n = 0.0;

  for (size_t i = 0; i < plan->data->n; i++) n += plan->data->set[i]->p ? 1.0 : 0.0;
  return n;
}

void ip_cost_count(const ip_plan *plan, size_t run, ip_part part, double count[IP_COSTS])
{
  const shape s = shape_of(plan, run);

  for (size_t i = 0; i < IP_COSTS; i++) count[i] = table[i].count(&s, part);
}

/* ---- times of runs ----------------------------------------------------------------------------------- */

static double price(const double count[IP_COSTS], const ip_rates *rates)
{
  double sum = 0.0;

  for (size_t i = 0; i < IP_COSTS; i++) sum += count[i] * rates->second[i];
  return sum;
}

static double part_seconds(const ip_times_of *of, size_t run, ip_part part)
{
  double count[IP_COSTS];

  ip_cost_count(of->plan, run, part, count);
  return price(count, of->rates);
}

/* A look by k ranks: the KDE is cut so that all are busy equally long.  Who trains has all the rest to
   do beside it, and the look is not over before that; each assistant begins with a forward pass. */
static double shared_look(const ip_times_of *of, size_t run, double alone, double k)
{
  const ip_rates *rates = of->rates;
  double count[IP_COSTS], kde[IP_COSTS] = {0.0}, forward[IP_COSTS] = {0.0};

  if (!(k > 1.0) || !ip_run_is_shared(of->plan, run)) return alone;

  const shape s = shape_of(of->plan, run);

  ip_cost_count(of->plan, run, IP_PART_LOOK, count);
  kde[IP_COST_kde_difference] = count[IP_COST_kde_difference];
  kde[IP_COST_kde_exponential] = count[IP_COST_kde_exponential];
  forward[IP_COST_multiply_add] = s.n * products(&s, false, false);
  forward[IP_COST_multiply_add_wide] = s.n * products(&s, true, false);
  forward[IP_COST_value] = s.n * s.units;
  forward[IP_COST_activation] = s.n * activations(&s);
  return fmax(alone - price(kde, rates), (alone + (k - 1.0) * price(forward, rates)) / k);
}

static ip_run_time time_of(const ip_times_of *of, size_t run)
{
  const ip_run *r = &of->plan->run[run];
  const double epochs = r->epochs, looks = (double)of->plan->measure[r->measure].n_looks,
               layers = (double)of->plan->architecture[r->architecture].layers,
               left = of->done ? 1.0 - of->done[run] : 1.0,
               epoch = part_seconds(of, run, IP_PART_EPOCH),
               once = part_seconds(of, run, IP_PART_RUN),
               alone = part_seconds(of, run, IP_PART_LOOK),
               look = shared_look(of, run, alone, (double)of->ranks_per_run),
               layer = look / layers;

  return (ip_run_time){
      .seconds = left * (epochs * epoch + looks * look) + once,
      .alone = left * (epochs * epoch + looks * alone) + once,
      .ahead = epoch + look,
      /* a message that arrives at any time meets a long piece more often */
      .pause = (epochs * epoch * epoch + looks * layers * layer * layer) /
               fmax(epochs * epoch + looks * look, 1e-30),
  };
}

PetscErrorCode ip_run_times(const ip_times_of *of, ip_run_time time[])
{
  int32_t *order = NULL;

  PetscCall(IP_ALLOCATE(of->n, &order));

  const PetscErrorCode code = order_runs(of->plan, of->done, of->n, of->todo, order);

  for (size_t i = 0; i < of->n && !code; i++) time[i] = time_of(of, (size_t)order[i]);
  ip_release(&order);
  return code;
}

/* ---- the fit ------------------------------------------------------------------------------------------ */

/* Least squares without negative rates by one coordinate after the other (Gauss-Seidel, projected): the
   sum is convex, so that this ends at its least value.  Rates in units of what makes columns 1 long. */
typedef struct {
  size_t n;
  size_t term[IP_COSTS];           /* those that occur              */
  double length[IP_COSTS];         /* of each column                */
  double gram[IP_COSTS][IP_COSTS]; /* products of columns           */
  double right[IP_COSTS];          /* with the timings, all ones    */
  double x[IP_COSTS];
} fit;

/* Count over seconds: what is fitted to 1. */
static double share(const ip_timing *t, size_t term)
{
  return t->count[term] / t->seconds;
}

static void prepare(size_t n, const ip_timing timing[], fit *f)
{
  for (size_t i = 0; i < IP_COSTS; i++) {
    double sum = 0.0;

    for (size_t t = 0; t < n; t++) sum += share(&timing[t], i) * share(&timing[t], i);
    if (sum > 0.0) f->length[f->n] = sqrt(sum), f->term[f->n++] = i;
  }
  for (size_t i = 0; i < f->n; i++)
    for (size_t t = 0; t < n; t++) {
      const double column = share(&timing[t], f->term[i]) / f->length[i];

      f->right[i] += column;
      for (size_t j = 0; j < f->n; j++)
        f->gram[i][j] += column * share(&timing[t], f->term[j]) / f->length[j];
    }
}

/* One sweep; the largest change. */
static double improve(fit *f)
{
  double most = 0.0;

  for (size_t i = 0; i < f->n; i++) {
    double rest = f->right[i];

    for (size_t j = 0; j < f->n; j++) rest -= j == i ? 0.0 : f->gram[i][j] * f->x[j];

    const double x = fmax(0.0, rest / f->gram[i][i]);

    most = fmax(most, fabs(x - f->x[i]));
    f->x[i] = x;
  }
  return most;
}

PetscErrorCode ip_rates_fit(size_t n, const ip_timing timing[], ip_rates *rates, double *error)
{
  enum { SWEEPS = 400000 };
  const double enough = 1e-13;
  double sum = 0.0;
  fit f = {0};

  for (size_t t = 0; t < n; t++)
    IP_CHECK(timing[t].seconds > 0.0, IP_ERR_INTERNAL, "timing %zu took no time", t);
  prepare(n, timing, &f);
  for (int sweep = 0; sweep < SWEEPS && improve(&f) > enough; sweep++) continue;
  for (size_t i = 0; i < f.n; i++) rates->second[f.term[i]] = f.x[i] / f.length[i];
  for (size_t t = 0; t < n; t++) {
    double miss = -1.0;

    for (size_t i = 0; i < IP_COSTS; i++) miss += share(&timing[t], i) * rates->second[i];
    sum += miss * miss;
  }
  *error = n > 0 ? sqrt(sum / (double)n) : 0.0;
  return PETSC_SUCCESS;
}
