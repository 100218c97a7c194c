"""Datetimes from and to milliseconds, by Howard Hinnant's algorithms: years begin in March.

Whoever uses this calls `import_datetime` first.
"""

cimport cython
from cpython.datetime cimport (
    PyDateTime_DATE_GET_HOUR,
    PyDateTime_DATE_GET_MICROSECOND,
    PyDateTime_DATE_GET_MINUTE,
    PyDateTime_DATE_GET_SECOND,
    PyDateTime_GET_DAY,
    PyDateTime_GET_MONTH,
    PyDateTime_GET_YEAR,
    PyDateTimeAPI,
)
from libc.stdint cimport int64_t

cdef extern from *:
    """
    #define FIRST_MILLIS -62135596800000LL
    #define LAST_MILLIS 253402300799999LL
    """
    const int64_t FIRST_MILLIS  # of the year 1
    const int64_t LAST_MILLIS  # of the year 9999, as a datetime


@cython.cdivision(True)
cdef inline object new_datetime(int64_t millis, tzinfo):
    """A datetime without offset, `millis` after the epoch and within the range above."""
    cdef int64_t since = millis - FIRST_MILLIS
    cdef int rest = <int>(since % 86_400_000)
    cdef int days = <int>(since // 86_400_000) + 306  # since the first of March of the year 0
    cdef int era = days // 146_097
    cdef int day_of_era = days % 146_097
    cdef int year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    cdef int day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    cdef int march_month = (5 * day_of_year + 2) // 153
    cdef int day = day_of_year - (153 * march_month + 2) // 5 + 1
    cdef int month = march_month + 3 if march_month < 10 else march_month - 9
    cdef int year = year_of_era + era * 400 + (month <= 2)
    return PyDateTimeAPI.DateTime_FromDateAndTime(
        year,
        month,
        day,
        rest // 3_600_000,
        rest // 60_000 % 60,
        rest // 1000 % 60,
        rest % 1000 * 1000,
        tzinfo,
        PyDateTimeAPI.DateTimeType,
    )


@cython.cdivision(True)
cdef inline int64_t millis_of(moment) noexcept:
    """Milliseconds from the epoch to a datetime without offset, rounded down."""
    cdef int month = PyDateTime_GET_MONTH(moment)
    cdef int year = PyDateTime_GET_YEAR(moment) - (month <= 2)  # not negative
    cdef int year_of_era = year % 400
    cdef int march_month = month - 3 if month > 2 else month + 9
    cdef int day_of_year = (153 * march_month + 2) // 5 + PyDateTime_GET_DAY(moment) - 1
    cdef int day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    cdef int64_t days = year // 400 * 146_097 + day_of_era - 719_468
    cdef int64_t seconds = days * 86_400 + (
        PyDateTime_DATE_GET_HOUR(moment) * 3600
        + PyDateTime_DATE_GET_MINUTE(moment) * 60
        + PyDateTime_DATE_GET_SECOND(moment)
    )
    return seconds * 1000 + PyDateTime_DATE_GET_MICROSECOND(moment) // 1000
