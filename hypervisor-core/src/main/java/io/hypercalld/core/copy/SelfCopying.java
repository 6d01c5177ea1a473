package io.hypercalld.core.copy;

/**
 * Something that knows better than anybody else how it is copied, such as what holds memory of the
 * host.
 *
 * @param <T> its own type
 */
public interface SelfCopying<T extends SelfCopying<T>> {
  /**
   * A copy that shares nothing with this that either can change.
   *
   * @param copies where it finds the copies of what it refers to; what refers back to this is not
   *     among them
   */
  T copy(Copies copies);
}
