package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.p2m.Gfn;

/**
 * A grant that a domain has mapped. Immutable.
 *
 * @param granter whose page it is; its struct stays as long as the page is mapped
 * @param ref number of the granter's entry
 * @param at guest frame of the mapper
 * @see "xen/common/grant_table.c, struct grant_mapping"
 */
public record GrantMapping(Domain granter, long ref, boolean readonly, Gfn at)
    implements Digestible {
  @Override
  public void digest(StateDigest digest) {
    digest.put(granter.id().value()).put(ref).put(readonly).put(at.value());
  }
}
