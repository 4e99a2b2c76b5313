"""Where the results of a batch lie: a folder, or an object store.

::

    STORE/
      store.toml
      cases/<2 signs>/<case_id>/            the result folder of ``osteoct analyze`` and work.json
      masks/<2 signs>/<segment_key>/        masks that were made once
      tmp/                                  what is not yet whole

In an object store every folder of a case and of masks is one zip archive, written by a single put.
The two signs are the beginning of a hash of the name: a hundred thousand cases make 256 folders of
four hundred, whatever their names begin with.
"""
