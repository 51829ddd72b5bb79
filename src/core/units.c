/* Seconds, bytes and long sentences as people read them. */

#include <infoplane/core.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void ip_seconds_format(double seconds, char text[32])
{
  const double most = 1e15;
  const long long s = isfinite(seconds) && fabs(seconds) < most ? llround(seconds) : -1;

  if (s < 0)
    snprintf(text, 32, "?");
  else if (s < 120)
    snprintf(text, 32, "%lld s", s);
  else if (s < 7200)
    snprintf(text, 32, "%lld m", s / 60);
  else if (s < 172800)
    snprintf(text, 32, "%lld h %02lld m", s / 3600, s / 60 % 60);
  else
    snprintf(text, 32, "%lld d %lld h", s / 86400, s / 3600 % 24);
}

void ip_bytes_format(double bytes, char text[32])
{
  static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  size_t u = 0;

  while (bytes >= 999.5 && u + 1 < sizeof unit / sizeof unit[0]) bytes /= 1000.0, u++;
  snprintf(text, 32, u == 0 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes, unit[u]);
}

PetscErrorCode ip_text_wrap(ip_text *text, int indent, const char *label, const char *words)
{
  int column = indent;

  PetscCall(ip_text_add(text, "%-*s", indent, label));
  while (*words) {
    const int length = (int)strcspn(words, " ");
    const bool first = column == indent;

    if (!first && column + 1 + length > IP_TEXT_WIDTH) {
      PetscCall(ip_text_add(text, "\n%*s", indent, ""));
      column = indent;
    } else if (!first) {
      PetscCall(ip_text_add(text, " "));
      column++;
    }
    PetscCall(ip_text_add(text, "%.*s", length, words));
    column += length;
    words += length + (words[length] == ' ');
  }
  return ip_text_add(text, "\n");
}
