"""What a worker does with a case: fetch the inputs, read, segment, measure, store."""
