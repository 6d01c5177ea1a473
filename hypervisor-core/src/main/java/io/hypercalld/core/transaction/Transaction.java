package io.hypercalld.core.transaction;

import io.hypercalld.core.errno.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The steps of an operation that happen all or not at all. Confined to the machine thread.
 *
 * <p>Each step registers its reversal beside itself: after an acquisition, before an overwrite.
 * When a later step is refused the reversals run newest first and the refusal goes on to the
 * caller. A reversal that fails means the state is no longer what anybody believes: that is a
 * broken invariant, not a refusal.
 */
public final class Transaction {
  private final List<Runnable> reversals = new ArrayList<>();
  private final List<Runnable> completions = new ArrayList<>();

  private Transaction() {}

  /**
   * Runs {@code steps}.
   *
   * @throws Refusal as the steps threw it, after everything was reversed
   * @throws IllegalStateException where a reversal fails
   */
  public static <R> R run(Function<Transaction, R> steps) {
    Transaction transaction = new Transaction();
    R result;
    try {
      result = steps.apply(transaction);
    } catch (Refusal refusal) {
      transaction.reverse(refusal);
      throw refusal;
    }
    transaction.completions.forEach(Runnable::run);
    return result;
  }

  /** Registers what takes the step back, should a later one be refused. */
  public void onFailure(Runnable reversal) {
    reversals.add(reversal);
  }

  /** Registers what is to be done once no step can be taken back any more; it cannot fail. */
  public void onSuccess(Runnable completion) {
    completions.add(completion);
  }

  private void reverse(Refusal cause) {
    while (!reversals.isEmpty()) {
      try {
        reversals.removeLast().run();
      } catch (RuntimeException failure) {
        failure.addSuppressed(cause);
        throw new IllegalStateException("a step could not be taken back", failure);
      }
    }
  }
}
