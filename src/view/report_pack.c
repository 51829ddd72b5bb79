/* Numbers of a page: quantized, packed and written as text. */

#include "report.h"
#include <math.h>
#include <string.h>
#include <zlib.h>

enum { STEPS = 65534, NONE = 65535 };

size_t report_kept(size_t n, size_t most)
{
  return n < most ? n : most;
}

size_t report_thinned(size_t n, size_t most, size_t i)
{
  return n <= most ? i : (i * (n - 1) + (most - 1) / 2) / (most - 1);
}

/* ---- text ------------------------------------------------------------------------------------------- */

PetscErrorCode report_text(ip_text *json, const char *text)
{
  PetscCall(ip_text_add(json, "\""));
  for (const unsigned char *c = (const unsigned char *)text; *c; c++)
    if (*c < 0x20 || strchr("\"\\<>&", *c) || *c == 0x7f)
      PetscCall(ip_text_add(json, "\\u%04x", (unsigned)*c));
    else
      PetscCall(ip_text_add(json, "%c", *c));
  return ip_text_add(json, "\"");
}

PetscErrorCode report_number(ip_text *json, double value)
{
  return isfinite(value) ? ip_text_add(json, "%.9g", value) : ip_text_add(json, "null");
}

static PetscErrorCode add_base64(ip_text *json, size_t n, const unsigned char bytes[])
{
  static const char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  enum { PADDING = 64 };
  char *text = NULL, *to;

  PetscCall(IP_ALLOCATE(n / 3 * 4 + 5, &text));
  to = text;
  for (size_t i = 0; i < n; i += 3) {
    const unsigned second = i + 1 < n ? bytes[i + 1] : 0U,
                   third = i + 2 < n ? bytes[i + 2] : 0U;
    const unsigned all = ((unsigned)bytes[i] << 16) | (second << 8) | third;

    *to++ = letters[all >> 18];
    *to++ = letters[(all >> 12) & 63];
    *to++ = letters[i + 1 < n ? (all >> 6) & 63 : PADDING];
    *to++ = letters[i + 2 < n ? all & 63 : PADDING];
  }
  *to = '\0';
  const PetscErrorCode code = ip_text_add(json, "%s", text);

  ip_release(&text);
  return code;
}

/* ---- packing ---------------------------------------------------------------------------------------- */

static void find_range(size_t n, const double value[], double *low, double *high)
{
  *low = INFINITY;
  *high = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(value[i])) continue;
    *low = fmin(*low, value[i]);
    *high = fmax(*high, value[i]);
  }
  if (*low > *high) *low = *high = 0.0; /* there is none */
}

static unsigned quantized(double value, double low, double high)
{
  if (!isfinite(value)) return NONE;
  return high > low ? (unsigned)lrint((value - low) / (high - low) * (double)STEPS) : 0U;
}

/* bytes: shape (2, values) */
static void split(size_t n, const report_block block[], const double value[],
                  const double range[2], unsigned char bytes[])
{
  size_t values = 0, at = 0;

  for (size_t i = 0; i < n; i++) values += block[i].looks * block[i].cells;
  for (size_t i = 0; i < n; i++)
    for (size_t l = 0; l < block[i].looks; l++)
      for (size_t c = 0; c < block[i].cells; c++, at++) {
        const unsigned q = quantized(value[at], range[0], range[1]),
                       before = l > 0
                                    ? quantized(value[at - block[i].cells], range[0], range[1])
                                    : 0U,
                       step = (q - before) & 0xffffU;

        bytes[at] = (unsigned char)(step >> 8);
        bytes[values + at] = (unsigned char)(step & 0xffU);
      }
}

static PetscErrorCode deflate_all(size_t n, const unsigned char bytes[], ip_text *json)
{
  uLongf room = compressBound((uLong)n);
  unsigned char *packed = NULL;

  PetscCall(IP_ALLOCATE(room, &packed));
  const int failed = compress2(packed, &room, bytes, (uLong)n, 9);
  const PetscErrorCode code = failed ? PETSC_SUCCESS : add_base64(json, room, packed);

  ip_release(&packed);
  IP_CHECK(!failed, IP_ERR_INTERNAL, "zlib: error %d", failed);
  return code;
}

PetscErrorCode report_pack(size_t n, const report_block block[], double value[], bool logarithm,
                           ip_text *json)
{
  unsigned char *bytes = NULL;
  double range[2];
  size_t values = 0;

  for (size_t i = 0; i < n; i++) values += block[i].looks * block[i].cells;
  for (size_t i = 0; i < values && logarithm; i++)
    value[i] = value[i] > 0.0 ? log10(value[i]) : (double)NAN;
  find_range(values, value, &range[0], &range[1]);
  PetscCall(ip_text_add(json, "{\"low\": "));
  PetscCall(report_number(json, range[0]));
  PetscCall(ip_text_add(json, ", \"high\": "));
  PetscCall(report_number(json, range[1]));
  PetscCall(ip_text_add(json, ", \"log\": %s, \"bytes\": \"", logarithm ? "true" : "false"));
  PetscCall(IP_ALLOCATE(2 * values, &bytes));
  split(n, block, value, range, bytes);
  const PetscErrorCode code = deflate_all(2 * values, bytes, json);

  ip_release(&bytes);
  return code ? code : ip_text_add(json, "\"}");
}
