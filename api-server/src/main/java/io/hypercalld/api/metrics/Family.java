package io.hypercalld.api.metrics;

import java.util.ArrayList;
import java.util.List;

/**
 * The series of one metric while they are put together. Confined to the thread that exposes them.
 *
 * <p>Of domains and of devices only so many have series; those beyond are counted and left out.
 */
final class Family {
  /** Most domains, and most devices, that have series of their own. */
  static final int MOST_OBJECTS = 256;

  private final Type type;
  private final String name;
  private final String help;
  private final List<Sample> samples = new ArrayList<>();
  private int dropped;

  /** How values are to be understood. */
  enum Type {
    GAUGE,
    COUNTER,
    HISTOGRAM,
    /** A 1 whose labels are the content. */
    INFO
  }

  /**
   * One line.
   *
   * @param suffix what follows the family's name
   * @param labels names and values in turn
   */
  record Sample(String suffix, List<String> labels, String value) {}

  private Family(Type type, String name, String help) {
    this.type = type;
    this.name = name;
    this.help = help;
  }

  static Family gauge(String name, String help) {
    return new Family(Type.GAUGE, name, help);
  }

  /** A counter, whose name is given without {@code _total}. */
  static Family counter(String name, String help) {
    return new Family(Type.COUNTER, name, help);
  }

  static Family histogram(String name, String help) {
    return new Family(Type.HISTOGRAM, name, help);
  }

  /** Labels as a metric, whose name is given without {@code _info}. */
  static Family info(String name, String help) {
    return new Family(Type.INFO, name, help);
  }

  /** Adds a series; {@code labels} are names and values in turn. */
  Family with(long value, String... labels) {
    String suffix =
        switch (type) {
          case GAUGE -> "";
          case COUNTER -> "_total";
          case INFO -> "_info";
          case HISTOGRAM -> throw new IllegalStateException(name + " is a histogram");
        };
    samples.add(new Sample(suffix, List.of(labels), Long.toString(value)));
    return this;
  }

  /** Adds a series of a domain or a device, the {@code rank}th of its kind from 0 on. */
  void withObject(int rank, long value, String... labels) {
    if (rank < MOST_OBJECTS) {
      with(value, labels);
    } else {
      dropped++;
    }
  }

  /**
   * Adds a histogram.
   *
   * @param bounds upper bounds of all buckets but the last, which has none
   * @param counts each bucket without those below
   */
  void withBuckets(List<Double> bounds, List<Long> counts, double sum, String... labels) {
    long below = 0;
    for (int bucket = 0; bucket < counts.size(); bucket++) {
      below += counts.get(bucket);
      String bound = bucket < bounds.size() ? Double.toString(bounds.get(bucket)) : "+Inf";
      List<String> bounded = new ArrayList<>(List.of(labels));
      bounded.addAll(List.of("le", bound));
      samples.add(new Sample("_bucket", bounded, Long.toString(below)));
    }
    samples.add(new Sample("_count", List.of(labels), Long.toString(below)));
    samples.add(new Sample("_sum", List.of(labels), Double.toString(sum)));
  }

  Type type() {
    return type;
  }

  /** The name without the suffixes of samples. */
  String name() {
    return name;
  }

  String help() {
    return help;
  }

  List<Sample> samples() {
    return samples;
  }

  /** Series left out. */
  int dropped() {
    return dropped;
  }
}
