/* Cells of activations, and keys of whole samples, sixteen lanes at a time. */

#include "kernels.h"
#include <infoplane/lanes.h>
#include <math.h>

/* Bits that order as the floats do. */
static int32_t ordered(const float *t)
{
  int32_t bits;

  memcpy(&bits, t, sizeof bits);
  return bits ^ ((bits >> 31) & INT32_MAX);
}

static float from_ordered(int32_t order)
{
  const int32_t bits = order ^ ((order >> 31) & INT32_MAX);
  float t;

  memcpy(&t, &bits, sizeof t);
  return t;
}

static void extremes(size_t n, const float t[], float *low, float *high)
{
  int32_t least = INT32_MAX, most = INT32_MIN;

  for (size_t i = 0; i < n; i++) {
    const int32_t order = ordered(t + i);

    least = order < least ? order : least;
    most = order > most ? order : most;
  }
  *low = from_ordered(least);
  *high = from_ordered(most);
}

static size_t outside(size_t n, const float t[], float low, float high)
{
  uint32_t count = 0;

  for (size_t i = 0; i < n; i++) count += (uint32_t)((t[i] < low) | (t[i] > high));
  return count;
}

IP_INLINE ip_register_int choose(ip_register_int where, ip_register_int yes, ip_register_int no)
{
  return (yes & where) | (no & ~where);
}

/* Cells of one register; -1 where the value is too near an edge. */
IP_INLINE ip_register_int cells_of(ip_register t, const ip_grid *grid)
{
  const ip_register zero = {0}, magic = 12582912.0F - zero; /* adding it rounds */
  const ip_register first = 0.5F - zero, last = ((float)grid->cells - 0.5F) - zero;
  ip_register x = ip_fma_register(t, grid->scale - zero, grid->offset - zero);

  x = (ip_register)choose(x > first, (ip_register_int)x, (ip_register_int)first);
  x = (ip_register)choose(x < last, (ip_register_int)x, (ip_register_int)last);

  const ip_register rounded = x + magic, gap = x - (rounded - magic);
  const ip_register_int edge = (ip_register_int)rounded - (ip_register_int)magic;
  const ip_register_int near =
      ((ip_register_int)gap & INT32_MAX) < (ip_register_int)(grid->unsure - zero);

  return (edge + (gap < zero)) | near;
}

static bool digitize(size_t n, const float t[], const ip_grid *grid, int32_t cell[])
{
  ip_register_int any = {0};
  int32_t lane[IP_WIDTH], found = 0;

  for (size_t i = 0; i < n; i += IP_WIDTH) {
    const ip_register_int c = cells_of(*(const ip_register *)(const void *)(t + i), grid);

    *(ip_register_int *)(void *)(cell + i) = c;
    any |= c;
  }
  memcpy(lane, &any, sizeof lane);
  for (int i = 0; i < IP_WIDTH; i++) found |= lane[i];
  return found < 0;
}

static void divide(size_t n, const float t[], const double width_first[2], int32_t cell[])
{
  for (size_t i = 0; i < n; i++)
    cell[i] = (int32_t)(floor((double)t[i] / width_first[0]) - width_first[1]);
}

static void pack(size_t n, const int32_t cell[], int bits, uint32_t word[])
{
  for (size_t i = 0; i < n; i++) word[i] = word[i] << bits | (uint32_t)cell[i];
}

/* Source: the multiply-and-shift rounds of MurmurHash3's finalizer (A. Appleby). */
static void stir(size_t n, const uint32_t word[], uint32_t hash[])
{
  for (size_t i = 0; i < n; i++) {
    uint32_t h = hash[i] ^ word[i];

    h ^= h >> 16;
    h *= 0x85ebca6bU;
    h ^= h >> 13;
    h *= 0xc2b2ae35U;
    hash[i] = h ^ h >> 16;
  }
}

const ip_binning_kernels IP_OF_WIDTH(ip_binning_kernels) = {
    .extremes = extremes,
    .outside = outside,
    .digitize = digitize,
    .divide = divide,
    .pack = pack,
    .stir = stir,
};
