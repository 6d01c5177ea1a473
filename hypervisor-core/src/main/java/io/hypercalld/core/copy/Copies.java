package io.hypercalld.core.copy;

/** The copies that have been made of the parts of a machine. Confined to one thread. */
public interface Copies {
  /** A copy of an object, the same one whenever it is asked for. */
  <T> T of(T original);
}
