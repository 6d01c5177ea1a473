package io.hypercalld.core.planted;

/** No noun was found for it. */
public final class PageUtil {
  private PageUtil() {}
}
