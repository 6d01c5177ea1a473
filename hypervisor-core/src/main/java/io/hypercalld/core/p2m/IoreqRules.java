package io.hypercalld.core.p2m;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import java.util.EnumMap;
import java.util.Map;

/** What pages of the types that servers claim are, type by type. Confined to the machine thread. */
final class IoreqRules implements Digestible {
  private final Map<P2mType, IoreqRule> rules = new EnumMap<>(P2mType.class);
  private int offered = 1;

  IoreqRule of(P2mType type) {
    return rules.getOrDefault(type, IoreqRule.UNCLAIMED);
  }

  void set(P2mType type, IoreqRule rule) {
    rules.put(type, rule);
  }

  int offered() {
    return offered;
  }

  void offer(int types) {
    offered = types;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(offered);
    P2mType.IOREQ.forEach(type -> digest.put(of(type)));
  }
}
