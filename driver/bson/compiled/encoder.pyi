from driver.bson.encoder import encode as encode
from driver.bson.encoder import write_document as write_document
