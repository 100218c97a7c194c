from driver.bson.encoder import encode as encode
from driver.bson.encoder import encode_inserts as encode_inserts
from driver.bson.encoder import write_document as write_document
