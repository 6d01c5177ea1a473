package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.guest.GuestInstruction;

/** What a vCPU executes. */
sealed interface Instruction extends Digestible {
  /** It accesses memory. */
  record Memory(GuestInstruction access) implements Instruction {
    @Override
    public void digest(StateDigest digest) {
      digest.put(access);
    }
  }

  /** It accesses a port. */
  record Port(PortAccess access) implements Instruction {
    @Override
    public void digest(StateDigest digest) {
      digest.put(access.toString());
    }
  }

  /** It does so again and again. */
  record Repeated(Repetition repetition) implements Instruction {
    @Override
    public void digest(StateDigest digest) {
      digest.put(repetition);
    }
  }

  /** Whether the other is the same instruction, executed again. */
  default boolean repeats(Instruction other) {
    return switch (this) {
      case Memory(GuestInstruction access) ->
          other instanceof Memory(GuestInstruction same) && access.request().equals(same.request());
      case Port(PortAccess access) -> other instanceof Port(PortAccess same) && access.equals(same);
      case Repeated(Repetition one) ->
          other instanceof Repeated(Repetition same) && one.access().equals(same.access());
    };
  }
}
