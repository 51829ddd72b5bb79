/* The rule of the paper: 12 points on the sphere, a label that no rotation changes.

   v_i: vertices of the icosahedron; k = set bits, S = sum of v_i over them, f = k + |S|;
   y = 1 exactly if f > 7.632;  p(y=1|x) = 1 / (1 + exp(-gamma (f - 7.63204))).
   The values of f nearest the threshold are 7.5628 and 7.7013.
   Source: Shwartz-Ziv and Tishby, arXiv:1703.00810v3, section 3.1; f gives all the labels of the
   authors' var_u.mat. */

#include <infoplane/dataset.h>
#include <infoplane/numerics.h>
#include <math.h>

enum { BITS = 12, PATTERNS = 1 << BITS };

/* A ring of five: height +-1/sqrt 5, radius 2/sqrt 5; its x and y at multiples of 36 degrees. */
#define Z   0.44721359549995793928 /* 1/sqrt 5             */
#define R   0.89442719099991587856 /* 2/sqrt 5             */
#define X36 0.72360679774997896964 /* (2/sqrt 5) cos 36    */
#define Y36 0.52573111211913360603 /* (2/sqrt 5) sin 36    */
#define X72 0.27639320225002103036 /* (2/sqrt 5) cos 72    */
#define Y72 0.85065080835203993218 /* (2/sqrt 5) sin 72    */

static const double vertex[BITS][3] = {
    {0,    0,    1 }, /* bit 0: upper pole         */
    {R,    0,    Z }, /* bit 1: upper ring, 0      */
    {X36,  Y36,  -Z}, /* bit 2: lower ring, 36     */
    {X72,  Y72,  Z }, /* bit 3: upper ring, 72     */
    {X36,  -Y36, -Z}, /* bit 4: lower ring, 324    */
    {-X36, -Y36, Z }, /* bit 5: upper ring, 216    */
    {-X72, -Y72, -Z}, /* bit 6: lower ring, 252    */
    {-R,   0,    -Z}, /* bit 7: lower ring, 180    */
    {-X72, Y72,  -Z}, /* bit 8: lower ring, 108    */
    {0,    0,    -1}, /* bit 9: lower pole         */
    {-X36, Y36,  Z }, /* bit 10: upper ring, 144   */
    {X72,  -Y72, Z }, /* bit 11: upper ring, 288   */
};

/* Bit 0 is the highest, and column 0 of the patterns. */
static bool is_set(uint32_t pattern, int bit)
{
  return pattern >> (BITS - 1 - bit) & 1U;
}

double ip_symmetric_f(uint32_t pattern)
{
  double k = 0, s[3] = {0};

  for (int bit = 0; bit < BITS; bit++) {
    if (!is_set(pattern, bit)) continue;
    k += 1;
    for (int i = 0; i < 3; i++) s[i] += vertex[bit][i];
  }
  return k + sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2]);
}

static PetscErrorCode load(const ip_dataset_spec *spec, ip_dataset *data)
{
  const bool stochastic = spec->labels == IP_LABELS_STOCHASTIC;

  data->n = PATTERNS;
  data->d = BITS;
  data->k = 2;
  PetscCall(IP_ALLOCATE((size_t)PATTERNS * BITS, &data->x));
  PetscCall(IP_ALLOCATE((size_t)PATTERNS, &data->y));
  if (stochastic) PetscCall(IP_ALLOCATE((size_t)PATTERNS * 2, &data->p));
  for (uint32_t pattern = 0; pattern < PATTERNS; pattern++) {
    const double f = ip_symmetric_f(pattern), slope = spec->gamma * (f - 7.63204);

    for (int bit = 0; bit < BITS; bit++)
      data->x[(size_t)pattern * BITS + (size_t)bit] = is_set(pattern, bit) ? 1.0F : 0.0F;
    data->y[pattern] = f > 7.632;
    if (!stochastic) continue;
    data->p[2 * (size_t)pattern] = ip_logistic(-slope); /* 1 - p would cancel */
    data->p[2 * (size_t)pattern + 1] = ip_logistic(slope);
  }
  return PETSC_SUCCESS;
}

const ip_dataset_kind ip_dataset_symmetric = {
    .name = "symmetric",
    .sentence =
        "12 points on a sphere, a binary label that no rotation changes; computed exactly",
    .reference = "arXiv:1703.00810, section 3.1",
    .load = load,
};
