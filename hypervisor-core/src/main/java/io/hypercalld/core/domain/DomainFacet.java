package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;

/** What another module keeps for a domain. Torn down in the reverse order of registration. */
public interface DomainFacet extends Digestible {
  /**
   * Gives back some of what it holds while the domain is dying: one step of bounded length.
   *
   * @return whether nothing is left
   */
  boolean relinquish();
}
