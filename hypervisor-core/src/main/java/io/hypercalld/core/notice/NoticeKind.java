package io.hypercalld.core.notice;

import java.util.Locale;

/** A kind of thing that happens: a constant of an enumeration of the module that tells it. */
public interface NoticeKind {
  /** As watchers know it: {@code domain.created}. */
  String type();

  /** Whether it happens so often that only who names it is told. */
  default boolean isFrequent() {
    return false;
  }

  /** The type that a constant's name spells: {@code iommu} and {@code FAULT_OVERFLOW}. */
  static String spell(String family, Enum<?> constant) {
    return family + "." + constant.name().toLowerCase(Locale.ROOT).replace('_', '.');
  }
}
