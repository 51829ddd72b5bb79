/* Information of binned activations.

   Every activation is replaced by the number of its cell, a sample by its d cells.  The inputs
   are distinct and T is a function of X, so that

     I(X;T) = H(T) = 1/n sum_t n_t (log2 n - log2 n_t),
     I(T;Y) = H(T) - H(T|Y),   H(T|Y) = 1/n sum_y sum_t n_ty (log2 n_y - log2 n_ty),

   where n_t, n_y, n_ty count samples; with p(y|x), n_ty = sum of p(y|x) over the x in t.
   Counts are exact, and sums run over how often each count occurs: nothing depends on the order
   of samples or units.

   Edges e_i, in double: plain, e_i = low + i (high - low) / bins and cells [e_i, e_{i+1}), the
   last closed; idnns, `bins` edges e_i = low + i (high - low) / (bins - 1), hence bins - 1 cells
   and one more at (or above) high, as numpy.digitize has it.  What lies outside goes to the end
   cells.  Fixed width: cell = floor(t / width).

   Source: Shwartz-Ziv and Tishby, arXiv:1703.00810, and their code IDNNs; fixed width: Saxe et
   al., J. Stat. Mech. (2019) 124020. */

#include "binning.h"
#include "kernels.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* ---- what the user may set ---- */

static const char *rule_name(size_t i)
{
  static const char *const name[] = {"plain", "idnns"};

  return i < 2 ? name[i] : NULL;
}

static const char *range_name(size_t i)
{
  static const char *const name[] = {"activation", "snapshot", "run"};

  return i < 3 ? name[i] : NULL;
}

static const ip_parameter parameter[] = {
    {
     .key = "bins",
     .type = IP_INTEGER,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .low = 1,
     .high = 16777216,
     .initial = "30",
     .coordinate = "column_bins",
     .sentence = "number of bins of each unit",
     .reference = "arXiv:1703.00810: 30",
     },
    {
     .key = "rule",
     .type = IP_CHOICE,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .choice = rule_name,
     .initial = "plain",
     .coordinate = "column_rule",
     .sentence =
            "plain: equal bins, the last one closed; idnns: as many edges as bins, so one "
            "cell less, and one more for the upper end itself", .reference = "idnns: code of arXiv:1703.00810",
     },
    {
     .key = "width",
     .type = IP_REAL,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .low = 1e-12,
     .high = 1e12,
     .coordinate = "column_width",
     .sentence =
            "bins of this width, floor(t / width), instead of a number of bins in a range", .reference = "Saxe et al., J. Stat. Mech. (2019) 124020: 0.07",
     },
    {
     .key = "range",
     .type = IP_INTERVAL,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .low = -1e30,
     .high = 1e30,
     .choice = range_name,
     .initial = "activation",
     .coordinate = "column_range",
     .sentence =
            "range of the bins: activation ([-1, 1]), snapshot or run (least and largest "
            "activation of the layer at this look, or over all), or [low, high]; what lies "
            "outside is counted in the end bins", .reference = NULL,
     },
    {.key = NULL},
};

static PetscErrorCode name_column(const ip_column *column, ip_text *name)
{
  const ip_value *value = column->value;
  char low[32], high[32];

  if (column->given[IP_BINNING_WIDTH]) {
    ip_real_format(value[IP_BINNING_WIDTH].real, low);
    return ip_text_add(name, "bin_w%s", low);
  }
  PetscCall(ip_text_add(name, "bin%lld", (long long)value[IP_BINNING_BINS].integer));
  if (value[IP_BINNING_RULE].word == IP_RULE_IDNNS) PetscCall(ip_text_add(name, "_idnns"));
  if (value[IP_BINNING_RANGE].word > IP_RANGE_ACTIVATION)
    return ip_text_add(name, "_%s", range_name((size_t)value[IP_BINNING_RANGE].word));
  if (value[IP_BINNING_RANGE].word < 0) {
    ip_real_format(value[IP_BINNING_RANGE].list[0], low);
    ip_real_format(value[IP_BINNING_RANGE].list[1], high);
    return ip_text_add(name, "_%s_%s", low, high);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode check_range(const ip_value *range, const char *unbounded)
{
  if (range->word < 0) {
    IP_CHECK(range->n == 2, IP_ERR_CONFIG, "range: %zu numbers where [low, high] is meant",
             range->n);
    IP_CHECK(range->list[0] < range->list[1], IP_ERR_CONFIG,
             "range: [%g, %g] is empty: low must be less than high", range->list[0],
             range->list[1]);
  }
  IP_CHECK(range->word != IP_RANGE_ACTIVATION || !unbounded, IP_ERR_CONFIG,
           "range: activation needs an activation with a closed range, and %s has none; choose "
           "range: snapshot, run or [low, high], or bins of a fixed width",
           unbounded);
  return PETSC_SUCCESS;
}

static PetscErrorCode check_column(const ip_column *column, const char *unbounded)
{
  const ip_value *value = column->value;

  for (size_t i = 0; column->given[IP_BINNING_WIDTH] && parameter[i].key; i++)
    IP_CHECK(i == IP_BINNING_WIDTH || !column->given[i], IP_ERR_CONFIG,
             "%s and width exclude each other: bins of a fixed width have no number, rule or "
             "range",
             parameter[i].key);
  if (column->given[IP_BINNING_WIDTH]) return PETSC_SUCCESS;
  IP_CHECK(value[IP_BINNING_RULE].word != IP_RULE_IDNNS || value[IP_BINNING_BINS].integer >= 2,
           IP_ERR_CONFIG, "rule: idnns needs at least 2 bins, not %lld",
           (long long)value[IP_BINNING_BINS].integer);
  return check_range(&value[IP_BINNING_RANGE], unbounded);
}

static bool needs_run_range(const ip_column *column)
{
  return !column->given[IP_BINNING_WIDTH] &&
         column->value[IP_BINNING_RANGE].word == IP_RANGE_RUN;
}

static double cost(size_t n, size_t d, size_t n_columns)
{
  return 50.0 * (double)n * (double)d * (double)n_columns;
}

/* ---- edges ---- */

double ip_bins_edge(const ip_bins *bins, uint32_t i)
{
  if ((double)i >= bins->parts) return bins->high;
  return bins->low + (double)i * (bins->high - bins->low) / bins->parts;
}

PetscErrorCode ip_bins_of(const ip_layer *layer, const ip_column *column,
                          const double snapshot[2], ip_bins *bins)
{
  const ip_value *value = column->value, *range = &value[IP_BINNING_RANGE];
  const bool idnns = value[IP_BINNING_RULE].word == IP_RULE_IDNNS;

  bins->cells = (uint32_t)value[IP_BINNING_BINS].integer;
  bins->parts = (double)bins->cells - (idnns ? 1.0 : 0.0);
  if (range->word < 0) {
    bins->low = range->list[0], bins->high = range->list[1];
  } else if (range->word == IP_RANGE_ACTIVATION) {
    IP_CHECK(layer->bounded, IP_ERR_CONFIG,
             "column %s: the activation has no closed range; choose range: snapshot, run or "
             "[low, high], or bins of a fixed width",
             column->name);
    bins->low = -1.0, bins->high = 1.0;
  } else if (range->word == IP_RANGE_RUN) {
    IP_CHECK(layer->run_low <= layer->run_high, IP_ERR_INTERNAL,
             "column %s: the range over the run is [%g, %g]", column->name, layer->run_low,
             layer->run_high);
    bins->low = layer->run_low, bins->high = layer->run_high;
  } else {
    bins->low = snapshot[0], bins->high = snapshot[1];
  }
  return PETSC_SUCCESS;
}

/* Largest i < cells with e_i <= t, 0 if there is none: the definition. */
static int32_t cell_by_edges(const ip_bins *bins, double t)
{
  uint32_t in = 0, beyond = bins->cells;

  while (beyond - in > 1) {
    const uint32_t middle = in + (beyond - in) / 2;

    if (ip_bins_edge(bins, middle) <= t)
      in = middle;
    else
      beyond = middle;
  }
  return (int32_t)in;
}

/* ---- digitizing ---- */

enum { SLOT_CELL, SLOT_WORD, SLOT_HASH, SLOT_TABLE, SLOT_ID, SLOT_ORDER, SLOT_COUNT, SLOT_P };

/* One layer being measured: its samples as rows of 32-bit words, and buffers. */
typedef struct {
  const ip_layer *layer;
  const ip_binning_kernels *kernels;
  ip_workspace *work;
  double snapshot[2]; /* smallest and largest activation                     */
  size_t room;        /* n, rounded up to whole vectors                      */
  size_t n_words;
  uint32_t *word;  /* shape (n_words, room)                               */
  uint32_t *hash;  /* shape (room)                                        */
  int32_t *cell;   /* shape (room): cells of one unit                     */
  uint32_t *order; /* shape (n): samples by class, in their order         */
  uint32_t *begin; /* shape (k + 1): where a class begins in order        */
  size_t n_cells;  /* used cells of samples                               */
  uint32_t *id;    /* shape (n): number of the cell of a sample           */
} measurement;

/* Bits that a number below `cells` takes, at least one. */
static int bits_for(double cells)
{
  int bits = 1;

  while (ldexp(1.0, bits) < cells) bits++;
  return bits;
}

static PetscErrorCode reserve_words(measurement *m, size_t n_words)
{
  void *room = NULL;
  size_t bytes;

  IP_CHECK(!__builtin_mul_overflow(n_words, m->room * sizeof(uint32_t), &bytes),
           IP_ERR_INTERNAL, "no memory for the bins of %zu samples", m->layer->n);
  PetscCall(ip_workspace_room(m->work, SLOT_WORD, bytes, &room));
  m->word = room;
  m->n_words = n_words;
  memset(m->word, 0, bytes);
  return PETSC_SUCCESS;
}

/* The grid in single precision, and how wrong it may be near an edge. */
static ip_grid grid_of(const ip_bins *bins)
{
  const double scale = bins->parts / (bins->high - bins->low), offset = -bins->low * scale,
               largest = fmax(fabs(bins->low), fabs(bins->high)) * scale + bins->cells;

  return (ip_grid){.scale = (float)scale,
                   .offset = (float)offset,
                   .unsure = (float)(largest * 4.0 * 0x1p-24),
                   .cells = (int32_t)bins->cells};
}

static void digitize_unit(const measurement *m, const ip_bins *bins, const ip_grid *grid,
                          const float t[])
{
  const size_t n = m->layer->n;

  if (!(grid->unsure < 0.25F)) {
    for (size_t i = 0; i < n; i++) m->cell[i] = cell_by_edges(bins, (double)t[i]);
  } else if (m->kernels->digitize(n, t, grid, m->cell)) {
    for (size_t i = 0; i < n; i++)
      if (m->cell[i] < 0) m->cell[i] = cell_by_edges(bins, (double)t[i]);
  }
}

/* Samples as words, by edges. */
static PetscErrorCode digitize_by_edges(measurement *m, const ip_bins *bins)
{
  const ip_layer *layer = m->layer;
  const int bits = bits_for((double)bins->cells);
  const size_t each = (size_t)(32 / bits);
  const ip_grid grid = grid_of(bins);

  PetscCall(reserve_words(m, (layer->d + each - 1) / each));
  for (size_t u = 0; u < layer->d; u++) {
    digitize_unit(m, bins, &grid, layer->t + u * layer->stride);
    m->kernels->pack(layer->n, m->cell, bits, m->word + u / each * m->room);
  }
  return PETSC_SUCCESS;
}

/* Samples as words: the quotient itself where there are too many cells to number. */
static PetscErrorCode keep_quotients(measurement *m, double width)
{
  const ip_layer *layer = m->layer;

  PetscCall(reserve_words(m, 2 * layer->d));
  for (size_t u = 0; u < layer->d; u++)
    for (size_t i = 0; i < layer->n; i++) {
      const double quotient = floor((double)layer->t[u * layer->stride + i] / width) + 0.0;
      uint32_t half[2];

      memcpy(half, &quotient, sizeof half);
      m->word[2 * u * m->room + i] = half[0];
      m->word[(2 * u + 1) * m->room + i] = half[1];
    }
  return PETSC_SUCCESS;
}

/* Samples as words, by fixed width. */
static PetscErrorCode digitize_by_width(measurement *m, double width)
{
  const ip_layer *layer = m->layer;
  const double first = floor(m->snapshot[0] / width), last = floor(m->snapshot[1] / width);

  if (!(last - first < 0x1p24)) return keep_quotients(m, width);

  const int bits = bits_for(last - first + 1.0);
  const size_t each = (size_t)(32 / bits);
  const double width_first[2] = {width, first};

  PetscCall(reserve_words(m, (layer->d + each - 1) / each));
  for (size_t u = 0; u < layer->d; u++) {
    m->kernels->divide(layer->n, layer->t + u * layer->stride, width_first, m->cell);
    m->kernels->pack(layer->n, m->cell, bits, m->word + u / each * m->room);
  }
  return PETSC_SUCCESS;
}

/* ---- counting ---- */

static bool same_words(const measurement *m, size_t i, size_t j)
{
  for (size_t w = 0; w < m->n_words; w++)
    if (m->word[w * m->room + i] != m->word[w * m->room + j]) return false;
  return true;
}

/* Number the cells of samples in order of first appearance: open addressing, keys compared
   exactly. */
static PetscErrorCode number_cells(measurement *m)
{
  const size_t n = m->layer->n;
  size_t size = 16;
  void *room = NULL;

  while (size < 2 * n) size *= 2;
  PetscCall(ip_workspace_room(m->work, SLOT_TABLE, (size + n) * sizeof(uint32_t), &room));

  uint32_t *table = room, *first = table + size; /* table: number of the cell + 1, or 0 */

  memset(table, 0, size * sizeof *table);
  memset(m->hash, 0, n * sizeof *m->hash);
  for (size_t w = 0; w < m->n_words; w++) m->kernels->stir(n, m->word + w * m->room, m->hash);
  m->n_cells = 0;
  for (size_t i = 0; i < n; i++) {
    size_t slot = m->hash[i] & (size - 1);

    while (table[slot] > 0 && !same_words(m, i, first[table[slot] - 1]))
      slot = (slot + 1) & (size - 1);
    if (table[slot] == 0) {
      first[m->n_cells] = (uint32_t)i;
      table[slot] = (uint32_t)++m->n_cells;
    }
    m->id[i] = table[slot] - 1;
  }
  return PETSC_SUCCESS;
}

/* sum over counts c > 0 of often[c] c (log2 total - log2 c), c up to `largest`; often is left
   zero. */
static double spread(uint32_t often[], size_t largest, double total)
{
  const double whole = ip_log2(total);
  double sum = 0.0;

  for (size_t c = 1; c <= largest; c++) {
    if (often[c] == 0) continue;
    sum += (double)often[c] * (double)c * (whole - ip_log2((double)c));
    often[c] = 0;
  }
  return sum;
}

/* H(T) and H(T|Y) of certain labels, in bits. count: zeroed, shape (3, n + 1). */
static void entropies(const measurement *m, uint32_t *count, double *h_t, double *h_t_y)
{
  const size_t n = m->layer->n;
  uint32_t *of_cell = count, *of_class = count + n + 1, *often = of_class + n + 1;
  uint32_t largest = 0;
  double within = 0.0;

  for (int32_t y = 0; y < m->layer->k; y++) {
    uint32_t most = 0;

    for (size_t i = m->begin[y]; i < m->begin[y + 1]; i++) of_class[m->id[m->order[i]]]++;
    for (size_t i = m->begin[y]; i < m->begin[y + 1]; i++) {
      const uint32_t cell = m->id[m->order[i]], c = of_class[cell];

      often[c]++; /* that of 0 is not read */
      most = c > most ? c : most;
      of_cell[cell] += c;
      of_class[cell] = 0;
    }
    within += spread(often, most, (double)(m->begin[y + 1] - m->begin[y]));
  }
  for (size_t cell = 0; cell < m->n_cells; cell++) {
    often[of_cell[cell]]++;
    largest = of_cell[cell] > largest ? of_cell[cell] : largest;
  }
  *h_t = spread(often, largest, (double)n) / (double)n;
  *h_t_y = within / (double)n;
}

/* H(T|Y) of labels with p(y|x), in bits: n_ty and n_y summed in order of the samples. */
static PetscErrorCode weighed_entropy(const measurement *m, double *h_t_y)
{
  const ip_layer *layer = m->layer;
  const size_t k = (size_t)layer->k, length = (m->n_cells + 1) * k;
  void *room = NULL;
  double sum = 0.0;

  PetscCall(ip_workspace_room(m->work, SLOT_P, length * sizeof(double), &room));

  double *n_ty = room, *n_y = n_ty + m->n_cells * k;

  memset(room, 0, length * sizeof(double));
  for (size_t i = 0; i < layer->n; i++)
    for (size_t y = 0; y < k; y++) {
      n_ty[m->id[i] * k + y] += layer->p[i * k + y];
      n_y[y] += layer->p[i * k + y];
    }
  for (size_t y = 0; y < k; y++) {
    const double whole = ip_log2(n_y[y]);

    for (size_t t = 0; t < m->n_cells; t++)
      if (n_ty[t * k + y] > 0.0) sum += n_ty[t * k + y] * (whole - ip_log2(n_ty[t * k + y]));
  }
  *h_t_y = sum / (double)layer->n;
  return PETSC_SUCCESS;
}

/* Samples by class, each class in order of the samples; one class where p is given. */
static PetscErrorCode sort_by_class(measurement *m)
{
  const ip_layer *layer = m->layer;
  const size_t n = layer->n, k = (size_t)layer->k;
  void *room = NULL;

  PetscCall(ip_workspace_room(m->work, SLOT_ORDER, (n + k + 2) * sizeof(uint32_t), &room));
  m->order = room;
  m->begin = m->order + n;
  memset(m->begin, 0, (k + 2) * sizeof *m->begin);
  /* begin[y + 1] is where the next sample of class y goes: past the last one it is the end. */
  for (size_t i = 0; i < n; i++) m->begin[(layer->p ? 0 : layer->y[i]) + 2]++;
  for (size_t y = 1; y < k; y++) m->begin[y + 1] += m->begin[y];
  for (size_t i = 0; i < n; i++)
    m->order[m->begin[(layer->p ? 0 : layer->y[i]) + 1]++] = (uint32_t)i;
  return PETSC_SUCCESS;
}

static PetscErrorCode count(measurement *m, ip_information *out)
{
  const size_t bytes = 3 * (m->layer->n + 1) * sizeof(uint32_t);
  double h_t_y;
  void *room = NULL;

  PetscCall(number_cells(m));
  PetscCall(ip_workspace_room(m->work, SLOT_COUNT, bytes, &room));
  memset(room, 0, bytes);
  entropies(m, room, &out->h_t, &h_t_y);
  if (m->layer->p) PetscCall(weighed_entropy(m, &h_t_y));
  out->i_xt = out->h_t;
  out->i_ty = out->h_t - h_t_y;
  out->i_ty_bias =
      (float)ip_plugin_bias((double)m->n_cells, (double)m->layer->k, (double)m->layer->n);
  return PETSC_SUCCESS;
}

/* ---- measuring ---- */

/* Smallest and largest float that lie within [low, high]. */
static void float_range(const ip_bins *bins, float *low, float *high)
{
  *low = (float)bins->low, *high = (float)bins->high;
  if ((double)*low < bins->low) *low = nextafterf(*low, INFINITY);
  if ((double)*high > bins->high) *high = nextafterf(*high, -INFINITY);
}

static double clipped_fraction(const measurement *m, const ip_bins *bins)
{
  const ip_layer *layer = m->layer;
  float low, high;
  size_t clipped = 0;

  float_range(bins, &low, &high);
  for (size_t u = 0; u < layer->d; u++)
    clipped += m->kernels->outside(layer->n, layer->t + u * layer->stride, low, high);
  return (double)clipped / ((double)layer->n * (double)layer->d);
}

static void find_snapshot(measurement *m)
{
  const ip_layer *layer = m->layer;

  m->snapshot[0] = (double)INFINITY, m->snapshot[1] = -(double)INFINITY;
  for (size_t u = 0; u < layer->d; u++) {
    float low, high;

    m->kernels->extremes(layer->n, layer->t + u * layer->stride, &low, &high);
    m->snapshot[0] = fmin(m->snapshot[0], (double)low);
    m->snapshot[1] = fmax(m->snapshot[1], (double)high);
  }
  /* No -0, which would be seen in the file. */
  m->snapshot[0] += 0.0, m->snapshot[1] += 0.0;
}

static PetscErrorCode begin(const ip_layer *layer, ip_workspace *work, measurement *m)
{
  const size_t n = (layer->n + 15) / 16 * 16;
  void *room[3] = {NULL};

  *m = (measurement){
      .layer = layer, .kernels = ip_binning_kernels_best(), .work = work, .room = n};
  PetscCall(ip_workspace_room(work, SLOT_CELL, n * sizeof(int32_t), &room[0]));
  PetscCall(ip_workspace_room(work, SLOT_HASH, n * sizeof(uint32_t), &room[1]));
  PetscCall(ip_workspace_room(work, SLOT_ID, n * sizeof(uint32_t), &room[2]));
  m->cell = room[0], m->hash = room[1], m->id = room[2];
  find_snapshot(m);
  return sort_by_class(m);
}

/* Samples as words; the bins stay empty where they have a fixed width. */
static PetscErrorCode digitize(measurement *m, const ip_column *column, ip_bins *bins)
{
  if (column->given[IP_BINNING_WIDTH])
    return digitize_by_width(m, column->value[IP_BINNING_WIDTH].real);
  PetscCall(ip_bins_of(m->layer, column, m->snapshot, bins));
  return digitize_by_edges(m, bins);
}

static PetscErrorCode measure_column(measurement *m, const ip_column *column,
                                     ip_information *out)
{
  ip_bins bins = {0};

  *out = (ip_information){
      .clipped_fraction = NAN, .bin_low = NAN, .bin_high = NAN, .error_bound = NAN};
  PetscCall(digitize(m, column, &bins));
  if (bins.cells > 0) {
    out->clipped_fraction = (float)clipped_fraction(m, &bins);
    out->bin_low = (float)bins.low, out->bin_high = (float)bins.high;
  }
  return count(m, out);
}

static PetscErrorCode cells(const ip_layer *layer, const ip_column *column, ip_workspace *work,
                            size_t *n_cells, uint32_t cell[])
{
  measurement m;
  ip_bins bins = {0};

  PetscCall(begin(layer, work, &m));
  PetscCall(digitize(&m, column, &bins));
  PetscCall(number_cells(&m));
  memcpy(cell, m.id, layer->n * sizeof *cell);
  *n_cells = m.n_cells;
  return PETSC_SUCCESS;
}

static PetscErrorCode measure(const ip_layer *layer, size_t n, const ip_column *const column[],
                              ip_workspace *work, ip_information out[])
{
  measurement m;

  PetscCall(begin(layer, work, &m));
  for (size_t c = 0; c < n; c++) PetscCall(measure_column(&m, column[c], &out[c]));
  return PETSC_SUCCESS;
}

const ip_estimator ip_estimator_binning = {
    .name = "binning",
    .sentence = "entropies of activations put into bins: exact for the binned layer",
    .reference = "Shwartz-Ziv and Tishby, arXiv:1703.00810",
    .parameter = parameter,
    .name_column = name_column,
    .check_column = check_column,
    .needs_run_range = needs_run_range,
    .measure = measure,
    .measure_reference = ip_binning_reference,
    .cells = cells,
    .cost = cost,
};
