"""The model, its run, and the file that holds both.

history.py       curves of a run; jumps of the loss
run.py           where a training stands
npz.py           the container: arrays with a digest, read only as expected
ngram_arrays.py  an n-gram model as arrays
notebook.py      HTML for notebooks
builtin.py       the models that come with charrnn
model.py         `Model`, `load` and `save`
pytorch.py       the weights by the names and in the shapes of PyTorch
exchange.py      what the files for other programs share
safetensors.py, onnx.py  models as files of these formats
"""
