# Makes C of the page that `infoplane report` writes around its data: the header
#
#   report_style[], report_body[], report_script[]         bytes, and their sizes
#   report_style_hash, report_script_hash                  "sha256-...", for its security policy
#
#   cmake -D FROM=<this folder> -D OUT=<header> -P embed.cmake
cmake_minimum_required(VERSION 3.20)

# Base64 of bytes that are written as hexadecimal digits.
function(base64 digits out)
  set(letters ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  string(LENGTH "${digits}" n)
  set(text "")
  foreach(at RANGE 0 ${n} 6)
    string(SUBSTRING "${digits}" ${at} 6 six)
    string(LENGTH "${six}" have)
    if(have EQUAL 0)
      break()
    endif()
    string(SUBSTRING "${six}0000" 0 6 six)
    math(EXPR value "0x${six}")
    math(EXPR keep "${have} * 2 / 3 + 1 - ${have} / 6") # of 3, 2, 1 bytes: 4, 3, 2 letters
    foreach(shift 18 12 6 0)
      if(keep GREATER 0)
        math(EXPR place "(${value} >> ${shift}) & 63")
        string(SUBSTRING ${letters} ${place} 1 letter)
        string(APPEND text ${letter})
      else()
        string(APPEND text =)
      endif()
      math(EXPR keep "${keep} - 1")
    endforeach()
  endforeach()
  set(${out} ${text} PARENT_SCOPE)
endfunction()

set(header "/* Made from ${FROM} by embed.cmake. */\n")
# embed NAME FILE ...: one after the other
function(embed name)
  set(all ${OUT}.${name})
  file(WRITE ${all} "")
  foreach(part IN LISTS ARGN)
    file(READ ${FROM}/${part} text)
    if(part MATCHES "license$")
      set(text "/*\n${text}*/\n")
    endif()
    file(APPEND ${all} "${text}")
  endforeach()
  file(SHA256 ${all} hash)
  file(READ ${all} bytes HEX)
  file(REMOVE ${all})
  base64(${hash} hash)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "((0x..,){20})" "\\1\n" bytes "${bytes}")
  set(header "${header}
static const unsigned char report_${name}[] = {\n${bytes}\n};
static const char report_${name}_hash[] = \"sha256-${hash}\";\n" PARENT_SCOPE)
endfunction()
embed(style uplot.css page.css)
embed(body page.html)
embed(script uplot.license uplot.js page.js plane.js panels.js)
file(WRITE ${OUT} "${header}")
