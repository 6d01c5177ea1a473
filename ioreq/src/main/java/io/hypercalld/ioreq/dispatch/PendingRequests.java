package io.hypercalld.ioreq.dispatch;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The requests of a domain without an answer, by number, which is oldest first. Confined to the
 * machine thread.
 */
final class PendingRequests {
  // Few at a time, and each is newer than all the others: an array is searched faster than a tree.
  private final List<PendingIo> requests = new ArrayList<>();

  void add(PendingIo newest) {
    requests.add(newest);
  }

  void remove(PendingIo request) {
    requests.remove(firstFrom(request.number()));
  }

  Optional<PendingIo> find(long number) {
    int index = firstFrom(number);
    return index < requests.size() && requests.get(index).number() == number
        ? Optional.of(requests.get(index))
        : Optional.empty();
  }

  List<PendingIo> all() {
    return List.copyOf(requests);
  }

  /** Those whose number is greater. */
  List<PendingIo> after(long number) {
    return requests.subList(firstFrom(number + 1), requests.size());
  }

  /** Index of the first whose number is not less. */
  private int firstFrom(long number) {
    int low = 0;
    int high = requests.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (requests.get(middle).number() < number) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
